/* SPDX-License-Identifier: MIT */
/* monit: the dashboard. Everything meets here: terminal, daemon, log files, commands. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "client/appfile.h"
#include "client/client.h"
#include "client/commands.h"
#include "client/monitdrift.h"
#include "client/monitlink.h"
#include "client/monitlogs.h"
#include "client/monitpage.h"
#include "client/monitrun.h"
#include "common/clock.h"
#include "common/mem.h"
#include "ui/control.h"
#include "ui/screen.h"
#include "ui/view.h"

#define FRAME_MS 100 /* at most one frame in this time, */
#define SLOW_MS	 250 /* or this while the terminal has not taken the last one */
#define AGE_MS	 1000
#define KEYS	 256 /* taken at once, at most: then others have their turn */
#define FIRST_MS 20  /* the first frame waits for the daemon's answers, but not longer */

struct monit {
	struct client *c;
	struct ui ui;
	struct grid grid, shown;
	struct monitlink link;
	struct monitdrift drift;
	struct monitlogs logs;
	struct monitrun run;
	int sigfd;
	enum palette_theme theme;
	int64_t drawn_mono;
	bool dirty, quit, more_keys;
	int status;
};

/* --- drawing --- */

static void draw(struct monit *m)
{
	int rows, cols;
	screen_size(&rows, &cols);
	m->ui.model.now_ms = clock_real_ms();
	grid_resize(&m->grid, rows, cols);
	view_draw(&m->ui, &m->grid);
	if (!grid_equal(&m->grid, &m->shown)) {
		screen_draw(&m->grid, m->shown.cell ? &m->shown : NULL);
		struct grid swap = m->shown;
		m->shown = m->grid;
		m->grid = swap;
	}
	m->drawn_mono = clock_mono_ms();
	m->dirty = false;
}

static void redraw(struct monit *m)
{
	screen_forget();
	grid_finish(&m->shown);
	m->dirty = true;
}

/* --- effects --- */

/* As any program does it: not at all where nobody could let it go on (an orphaned group). */
static void suspend(struct monit *m)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	screen_suspend();
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	screen_resume();
	redraw(m);
}

static void page(struct monit *m)
{
	screen_suspend();
	monitpage_page(&m->ui, monitlogs_files(&m->logs));
	screen_resume();
	redraw(m);
}

/* Nothing is read, nothing wakes us but the user. */
static void pause_all(struct monit *m, bool on)
{
	m->ui.paused = on;
	if (on) {
		monitlink_close(&m->link);
		ui_say(&m->ui, UI_WARN, true, "PAUSED; any key goes on");
	} else {
		ui_say(&m->ui, UI_PLAIN, false, "%s", "");
		monitlink_open(&m->link);
	}
}

static void perform(struct monit *m, const struct effect *e)
{
	switch (e->kind) {
	case EFFECT_QUIT:
		m->quit = true;
		break;
	case EFFECT_SUSPEND:
		suspend(m);
		break;
	case EFFECT_REDRAW:
		redraw(m);
		break;
	case EFFECT_RETRY:
		monitlink_retry(&m->link);
		break;
	case EFFECT_COMMAND:
		monitrun_start(&m->run, e->text);
		break;
	case EFFECT_LOGS:
		monitlogs_choose(&m->logs);
		break;
	case EFFECT_SEARCH:
		monitlogs_search(&m->logs, e->number);
		break;
	case EFFECT_SAVE:
		monitpage_save(&m->ui, e->text);
		break;
	case EFFECT_PAGER:
		page(m);
		break;
	case EFFECT_DETAIL:
		monitlink_detail(&m->link, e->text);
		break;
	case EFFECT_THEME:
		m->theme = (m->theme + 1) % THEME_COUNT;
		screen_theme(m->theme);
		redraw(m);
		ui_say(&m->ui, UI_PLAIN, false, "theme: %s", palette_name(m->theme));
		break;
	case EFFECT_PAUSE:
		pause_all(m, e->number);
		break;
	case EFFECT_MOUSE:
		screen_mouse(e->number);
		break;
	case EFFECT_COPY:
		screen_copy(e->text);
		break;
	default:
		break;
	}
}

static void perform_all(struct monit *m)
{
	struct effect e;
	while (effects_take(&m->ui.effects, &e)) {
		perform(m, &e);
		m->dirty = true;
	}
}

static void fit(struct monit *m)
{
	int rows, cols;
	screen_size(&rows, &cols);
	ui_resize(&m->ui, rows, cols);
	perform_all(m);
}

/* --- what comes in --- */

static void take_keys(struct monit *m)
{
	struct ui_input in;
	m->more_keys = false;
	for (int n = 0; !m->quit && screen_input(&in); n++) {
		if (in.key != UK_NONE && m->ui.paused) {
			pause_all(m, false);
			m->dirty = true;
		} else if (in.key != UK_NONE) {
			control_input(&m->ui, &in);
			perform_all(m);
			m->dirty = true;
		}
		if (n == KEYS) {
			m->more_keys = true;
			return;
		}
	}
}

static void take_signals(struct monit *m)
{
	struct signalfd_siginfo si;
	while (read(m->sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGWINCH:
			redraw(m); /* it may have come in the middle of a frame */
			break;
		case SIGTSTP:
			suspend(m);
			break;
		case SIGCONT:
			screen_resume();
			redraw(m);
			break;
		case SIGCHLD:
			break;
		default:
			screen_end((int)si.ssi_signo);
		}
	}
}

static int64_t next_frame(const struct monit *m)
{
	return m->drawn_mono + (screen_is_slow() ? SLOW_MS : FRAME_MS);
}

/* While the daemon is away the screen says how old it is. */
static int64_t next_age(const struct monit *m)
{
	return m->ui.model.link == UI_LINK_AWAY && !m->ui.paused ? m->drawn_mono + AGE_MS : 0;
}

/* ms until something is due; -1 = nothing is. */
static int timeout_of(const struct monit *m, int64_t now)
{
	int64_t due = m->dirty ? next_frame(m) : 0;
	int64_t more[] = {m->link.next_mono, m->ui.paused ? 0 : monitlogs_due(&m->logs),
			  next_age(m)};
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		due = more[i] && (!due || more[i] < due) ? more[i] : due;
	}
	due = m->more_keys ? now : due;
	return !due ? -1 : due <= now ? 0 : (int)(due - now > 60000 ? 60000 : due - now);
}

static void run_once(struct monit *m)
{
	struct pollfd p[] = {{STDIN_FILENO, POLLIN, 0},
			     {m->sigfd, POLLIN, 0},
			     {monitlink_fd(&m->link), POLLIN, 0},
			     {m->ui.paused ? -1 : monitlogs_fd(&m->logs), POLLIN, 0},
			     {monitrun_fd(&m->run), POLLIN, 0}};
	poll(p, sizeof(p) / sizeof(p[0]), timeout_of(m, clock_mono_ms()));
	bool changed = false;
	if (p[1].revents) {
		take_signals(m);
	}
	if (p[0].revents & (POLLHUP | POLLERR)) {
		m->quit = true; /* the terminal is gone */
		return;
	}
	if (p[0].revents || m->more_keys) {
		take_keys(m);
	}
	if (p[2].revents && monitlink_fd(&m->link) >= 0) {
		changed |= monitlink_read(&m->link);
		changed |= monitdrift_look(&m->drift, clock_mono_ms());
	}
	changed |= monitlink_tick(&m->link, clock_mono_ms());
	changed |= !m->ui.paused && monitlogs_read(&m->logs);
	if (p[4].revents) {
		changed |= monitrun_read(&m->run);
	}
	if (changed) {
		ui_refresh(&m->ui);
		perform_all(m);
	}
	m->dirty |= changed || (next_age(m) && clock_mono_ms() >= next_age(m));
	if (m->dirty && !m->quit && clock_mono_ms() >= next_frame(m)) {
		fit(m);
		draw(m);
	}
	if (screen_ended_by()) {
		m->status = 128 + screen_ended_by();
		m->quit = true;
	}
}

/* --- the command --- */

/* No daemon: what it would run, as far as the app list here tells. */
static void show_file(struct ui *u)
{
	struct ini_file f;
	struct err_list errs = {0};
	struct err err;
	if (appfile_read(APPFILE_DEFAULT, NULL, &f, &errs, &err)) {
		model_begin(&u->model);
		for (size_t i = 0; i < f.napps; i++) {
			struct ui_app *a = model_app(&u->model, f.apps[i]->name);
			snprintf(a->state, sizeof(a->state), "unknown");
		}
		model_end(&u->model);
		ini_file_finish(&f);
	}
	err_list_finish(&errs);
	ui_say(u, UI_WARN, true, "pmctld is not running; to start it: :daemon start");
}

/* Those that would end us, leaving the terminal as it is, do so our way. */
static int open_signals(sigset_t *ending)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
	static const int others[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGCHLD};
	sigset_t set;
	sigemptyset(ending);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		sigaddset(ending, ends[i]);
	}
	set = *ending;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		sigaddset(&set, others[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void finish(struct monit *m)
{
	screen_close();
	monitrun_finish(&m->run);
	monitlogs_finish(&m->logs);
	monitdrift_finish(&m->drift);
	monitlink_finish(&m->link);
	ui_finish(&m->ui);
	grid_finish(&m->grid);
	grid_finish(&m->shown);
	close(m->sigfd);
}

int cmd_monit(struct client *c)
{
	struct monit m = {.c = c};
	struct err err;
	struct screen_conf conf = {.color = c->out_color, .mouse = true};
	m.sigfd = open_signals(&conf.ending);
	const char *term = getenv("TERM");
	ui_init(&m.ui, c->utf8);
	m.ui.braille &= !term || strcmp(term, "linux") != 0; /* its font has no such dots */
	monitlink_init(&m.link, c, &m.ui);
	monitdrift_init(&m.drift, &m.link, &m.ui);
	monitlogs_init(&m.logs, c, &m.link, &m.ui);
	monitrun_init(&m.run, c, &m.ui);
	if (!screen_open(&conf, &err)) {
		finish(&m);
		return client_fail(c, &err, "for a table: pmctl list");
	}
	m.ui.model.now_ms = clock_real_ms();
	monitlink_open(&m.link);
	monitlink_wait(&m.link, FIRST_MS);
	if (!c->conn.open) {
		show_file(&m.ui);
	}
	ui_refresh(&m.ui);
	fit(&m);
	draw(&m);
	while (!m.quit) {
		run_once(&m);
	}
	finish(&m);
	return m.status;
}
