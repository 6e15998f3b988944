/* SPDX-License-Identifier: MIT */
#define NCURSES_WIDECHAR 1
#include "ui/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "common/buf.h"

#define PASTE_ON  "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
/* Terminals that know it show a frame at once; the others ignore a private mode they do not know.
 */
#define SYNC_ON	 "\033[?2026h"
#define SYNC_OFF "\033[?2026l"

static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define DEADLY (sizeof(deadly) / sizeof(deadly[0]))
#define LATE_S 1 /* for a terminal that takes nothing, after a signal that ends us */

static struct {
	SCREEN *screen;
	bool open, color, private_modes, cursor;
	attr_t attr[UI_STYLES];
	short pair[UI_STYLES];
	struct termios before; /* as we found it */
	char restore[256];     /* what gives the screen back, for a signal handler */
	size_t restore_len;
	struct sigaction old[DEADLY];
	sigset_t ending; /* signals that end us; blocked but while we write */
	volatile sig_atomic_t ended_by;
} scr;

static void send(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno != EINTR) {
			return; /* the terminal is gone; the loop sees it */
		}
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void send_mode(const char *mode)
{
	if (scr.private_modes) {
		send(mode, strlen(mode));
	}
}

/* --- looks --- */

void screen_theme(enum palette_theme theme)
{
	for (int s = 0; s < UI_STYLES; s++) {
		struct palette_look l =
			palette_look(theme, (enum ui_style)s, scr.color ? COLORS : 0);
		scr.attr[s] = (l.flags & PALETTE_BOLD ? A_BOLD : 0) |
			      (l.flags & PALETTE_DIM ? A_DIM : 0) |
			      (l.flags & PALETTE_UNDERLINE ? A_UNDERLINE : 0);
		scr.pair[s] = 0;
		if (l.fg >= 0) {
			scr.pair[s] = (short)(s + 1);
			init_pair(scr.pair[s], (short)l.fg, -1);
		}
	}
}

static void choose_colors(bool wanted)
{
	scr.color = wanted && has_colors() && start_color() == OK;
	if (scr.color && use_default_colors() != OK) {
		assume_default_colors(-1, -1);
	}
	screen_theme(THEME_DEFAULT);
}

/* --- a crash --- */

/* The terminal first, then whatever would have happened: a core, or the report of a sanitizer. */
static void on_deadly(int sig)
{
	for (size_t i = 0; i < DEADLY; i++) {
		sigaction(deadly[i], &scr.old[i], NULL);
	}
	if (scr.open) {
		send(scr.restore, scr.restore_len);
		tcsetattr(STDIN_FILENO, TCSANOW, &scr.before);
	}
	raise(sig);
}

/* --- a terminal that takes nothing --- */

static void start_clock(int seconds)
{
	struct itimerval t = {.it_value.tv_sec = seconds};
	setitimer(ITIMER_REAL, &t, NULL);
}

/* It may go on in a moment; then the loop ends us. */
void screen_end(int sig)
{
	int saved = errno;
	if (scr.open && !scr.ended_by) {
		start_clock(LATE_S);
	}
	scr.ended_by = sig;
	errno = saved;
}

/* It did not: what it still takes at once of that which gives the screen back. */
static void on_late(int sig)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	(void)sig;
	fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK);
	if (write(STDOUT_FILENO, scr.restore, scr.restore_len) < 0) {
		flags |= 0; /* nobody looks */
	}
	fcntl(STDOUT_FILENO, F_SETFL, flags);
	tcsetattr(STDIN_FILENO, TCSANOW, &scr.before);
	_exit(128 + scr.ended_by);
}

/* Writing may take for ever: then a signal ends us all the same. */
static void begin_writing(void)
{
	sigprocmask(SIG_UNBLOCK, &scr.ending, NULL);
}

static void end_writing(void)
{
	sigprocmask(SIG_BLOCK, &scr.ending, NULL);
}

static void expect_ending(const sigset_t *ending)
{
	struct sigaction end = {.sa_handler = screen_end, .sa_flags = SA_RESTART},
			 late = {.sa_handler = on_late};
	scr.ending = *ending;
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigismember(ending, sig) == 1) {
			sigaction(sig, &end, NULL);
		}
	}
	sigaction(SIGALRM, &late, NULL);
}

int screen_ended_by(void)
{
	return scr.ended_by;
}

static void add_restore(const char *capability)
{
	size_t n = capability ? strlen(capability) : 0;
	if (scr.restore_len + n <= sizeof(scr.restore)) {
		memcpy(scr.restore + scr.restore_len, capability ? capability : "", n);
		scr.restore_len += n;
	}
}

static void make_restore(void)
{
	scr.restore_len = 0;
	if (scr.private_modes) {
		add_restore("\033[?1006l\033[?1000l" PASTE_OFF SYNC_OFF);
	}
	add_restore(exit_attribute_mode);
	add_restore(cursor_normal);
	add_restore(keypad_local);
	add_restore(exit_ca_mode);
}

static void expect_crash(void)
{
	struct sigaction sa = {.sa_handler = on_deadly};
	for (size_t i = 0; i < DEADLY; i++) {
		sigaction(deadly[i], &sa, &scr.old[i]);
	}
}

/* --- the terminal --- */

static bool is_dumb(const char *term)
{
	int known = 0;
	if (!term || !*term || strcmp(term, "dumb") == 0 ||
	    setupterm(term, STDOUT_FILENO, &known) != OK) {
		return true;
	}
	bool dumb = !cursor_address || !clear_screen;
	del_curterm(cur_term);
	return dumb;
}

bool screen_open(const struct screen_conf *conf, struct err *err)
{
	const char *term = getenv("TERM");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		return err_set(err, ERR_USAGE, "monit: not a terminal");
	}
	if (is_dumb(term) || tcgetattr(STDIN_FILENO, &scr.before) != 0) {
		return err_set(err, ERR_USAGE, "monit: a terminal \"%.40s\" cannot show it",
			       term ? term : "");
	}
	set_escdelay(25);
	scr.screen = newterm(NULL, stdout, stdin);
	if (!scr.screen) {
		return err_set(err, ERR_USAGE, "monit: cannot set up the terminal");
	}
	scr.open = true;
	scr.cursor = true;
	scr.private_modes = strncmp(term, "linux", 5) != 0 && strncmp(term, "vt", 2) != 0;
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	choose_colors(conf->color);
	define_key("\033[200~", UK_PASTE_BEGIN);
	define_key("\033[201~", UK_PASTE_END);
	screen_mouse(conf->mouse);
	make_restore();
	expect_ending(&conf->ending);
	begin_writing();
	refresh(); /* the alternate screen, before we send modes of our own */
	send_mode(PASTE_ON);
	end_writing();
	expect_crash();
	return true;
}

void screen_close(void)
{
	if (scr.open) {
		scr.open = false;
		send_mode(PASTE_OFF);
		curs_set(1);
		endwin();
		start_clock(0);
		for (size_t i = 0; i < DEADLY; i++) {
			sigaction(deadly[i], &scr.old[i], NULL);
		}
		delscreen(scr.screen);
	}
}

void screen_suspend(void)
{
	def_prog_mode();
	begin_writing();
	send_mode(PASTE_OFF);
	curs_set(1);
	endwin();
	end_writing();
}

void screen_resume(void)
{
	reset_prog_mode();
	clearok(curscr, TRUE);
	begin_writing();
	refresh();
	scr.cursor = true;
	send_mode(PASTE_ON);
	end_writing();
}

void screen_size(int *rows, int *cols)
{
	struct winsize w;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0 &&
	    is_term_resized(w.ws_row, w.ws_col)) {
		resize_term(w.ws_row, w.ws_col);
	}
	*rows = LINES;
	*cols = COLS;
}

bool screen_is_slow(void)
{
	int waiting = 0;
	return ioctl(STDOUT_FILENO, TIOCOUTQ, &waiting) == 0 && waiting > 0;
}

/* --- drawing --- */

static void put_cell(int y, int x, const struct grid_cell *c)
{
	wchar_t text[3] = {(wchar_t)c->ch, (wchar_t)c->comb, 0};
	int style = c->style & UI_BASE;
	attr_t attr = scr.attr[style] | (c->style & UI_REVERSE ? A_REVERSE : 0) |
		      (c->style & UI_UNDERLINE ? A_UNDERLINE : 0);
	cchar_t cell;
	if (setcchar(&cell, text, attr, scr.pair[style], NULL) == OK) {
		mvadd_wch(y, x, &cell);
	}
}

static bool same(const struct grid_cell *a, const struct grid_cell *b)
{
	return a->ch == b->ch && a->comb == b->comb && a->style == b->style;
}

static void draw_row(const struct grid *g, const struct grid *before, int y)
{
	const struct grid_cell *row = g->cell + y * g->cols;
	const struct grid_cell *old = before ? before->cell + y * g->cols : NULL;
	for (int x = 0; x < g->cols && x < COLS; x++) {
		bool left_of_wide = x + 1 < g->cols && old && old[x + 1].ch == 0;
		if (row[x].ch && (!old || !same(&row[x], &old[x]) || left_of_wide)) {
			put_cell(y, x, &row[x]);
		}
	}
}

void screen_draw(const struct grid *g, const struct grid *before)
{
	bool known = before && before->rows == g->rows && before->cols == g->cols;
	if (!known) {
		erase();
	}
	for (int y = 0; y < g->rows && y < LINES; y++) {
		draw_row(g, known ? before : NULL, y);
	}
	begin_writing();
	send_mode(SYNC_ON);
	if (scr.cursor != g->cur_shown) {
		curs_set(g->cur_shown);
		scr.cursor = g->cur_shown;
	}
	move(g->cur_y, g->cur_x);
	refresh();
	send_mode(SYNC_OFF);
	end_writing();
}

void screen_forget(void)
{
	clearok(curscr, TRUE);
}

void screen_copy(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf out = {0};
	size_t len = strnlen(text, SCREEN_COPY);
	buf_adds(&out, "\033]52;c;");
	for (size_t i = 0; i < len; i += 3) {
		unsigned v = 0;
		for (size_t k = 0; k < 3; k++) {
			v = v << 8 | (i + k < len ? (unsigned char)text[i + k] : 0);
		}
		buf_addc(&out, digits[v >> 18 & 63]);
		buf_addc(&out, digits[v >> 12 & 63]);
		buf_addc(&out, i + 1 < len ? digits[v >> 6 & 63] : '=');
		buf_addc(&out, i + 2 < len ? digits[v & 63] : '=');
	}
	buf_addc(&out, '\a');
	if (scr.private_modes) {
		send(out.data, out.len);
	}
	buf_finish(&out);
}
