/* SPDX-License-Identifier: MIT */
/* Values over time: series, sparks, graphs, and figures as text. */
#include "ui/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ui/figtext.h"
#include "ui/series.h"
#include "ui/spark.h"

#define T 1000000000000LL /* a multiple of every step here */

/* --- series --- */

static void expect(const double *got, const double *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(isnan(want[i]) ? isnan(got[i]) : fabs(got[i] - want[i]) < 0.001);
	}
}

static void a_step_without_a_sample_is_a_gap(void **st)
{
	struct series s;
	double v[4];
	(void)st;
	series_init(&s, 1000);
	series_add(&s, T, 1);
	series_add(&s, T + 2000, 3);
	series_add(&s, T + 2400, 4); /* the same step */
	series_last(&s, T + 2000, v, 4);
	expect(v, (double[]){NAN, 1, NAN, 4}, 4);
	series_last(&s, T + 3000, v, 4);
	expect(v, (double[]){1, NAN, 4, NAN}, 4);
}

static void a_clock_that_jumps_does_no_harm(void **st)
{
	struct series s;
	double v[2];
	(void)st;
	series_init(&s, 1000);
	series_add(&s, T, 1);
	series_add(&s, T - 5000000, 2); /* back: the same step */
	series_last(&s, T, v, 2);
	expect(v, (double[]){NAN, 2}, 2);
	series_add(&s, T + 5000000000, 3);
	series_last(&s, T + 5000000000, v, 2);
	expect(v, (double[]){NAN, 3}, 2);
}

static void more_than_it_keeps_is_forgotten(void **st)
{
	struct series s;
	double many[SERIES_MAX + 5], v[1];
	(void)st;
	for (int i = 0; i < SERIES_MAX + 5; i++) {
		many[i] = i;
	}
	series_init(&s, 1000);
	series_load(&s, T, many, SERIES_MAX + 5);
	series_last(&s, T + (SERIES_MAX - 1) * 1000LL, v, 1);
	assert_true(isnan(v[0]));
	assert_true(fabs(series_peak(&s) - (SERIES_MAX + 4)) < 0.001);
}

/* Cells hold still: as time goes on, only the last one changes. */
static void cells_are_aligned_in_time(void **st)
{
	struct series s;
	double v[3];
	(void)st;
	series_init(&s, 1000);
	for (int i = 0; i < 8; i++) {
		series_add(&s, T + i * 1000, i);
	}
	series_cells(&s, T + 7000, 4, v, 3);
	expect(v, (double[]){NAN, 3, 7}, 3);
	series_cells(&s, T + 6000, 4, v, 3);
	expect(v, (double[]){NAN, 3, 6}, 3);
	series_cells(&s, T + 8000, 4, v, 3);
	expect(v, (double[]){3, 7, NAN}, 3);
	assert_int_equal(series_cell_of(&s, T + 8000, T + 7999, 4, 3), 1);
	assert_int_equal(series_cell_of(&s, T + 8000, T - 9000, 4, 3), -1);
	assert_int_equal(series_cell_of(&s, T + 8000, T + 99000, 4, 3), -1);
}

/* --- sparks --- */

static void a_spark_has_eight_levels_and_blanks(void **st)
{
	static const double v[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, NAN, -1, 99};
	char text[64];
	(void)st;
	spark_text(v, 12, 8, true, text);
	assert_string_equal(text, "▁▂▃▄▅▆▇██ ▁█");
	spark_text(v, 12, 8, false, text);
	assert_string_equal(text, "_.,-=+*## _#");
	spark_text(v, 2, 0, false, text); /* a scale of nothing */
	assert_string_equal(text, "__");
}

static void scales_are_steps_of_1_2_5(void **st)
{
	(void)st;
	static const double want[][3] = {{0, 5, 5},   {5, 5, 5},     {5.1, 5, 10}, {11, 5, 20},
					 {21, 5, 50}, {101, 5, 200}, {0, 0, 1}};
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(fabs(spark_scale(want[i][0], want[i][1]) - want[i][2]) < 1e-9);
	}
}

/* --- graphs --- */

static void rows(enum graph_kind kind, const double *v, double max, int h, int w, const char *want)
{
	uint32_t cells[64];
	char text[300];
	size_t n = 0;
	graph_draw(kind, v, max, h, w, cells);
	for (int i = 0; i < h * w; i++) {
		uint32_t c = cells[i];
		if (c < 0x80) {
			text[n++] = (char)c;
		} else {
			text[n++] = (char)(0xe0 | c >> 12);
			text[n++] = (char)(0x80 | (c >> 6 & 0x3f));
			text[n++] = (char)(0x80 | (c & 0x3f));
		}
		if (i % w == w - 1) {
			text[n++] = '\n';
		}
	}
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void braille_has_two_points_a_cell(void **st)
{
	(void)st;
	rows(GRAPH_BRAILLE, (double[]){0, 1, 2, 3, 4, NAN}, 4, 1, 3, "⣀⣴⡇\n");
	rows(GRAPH_BRAILLE, (double[]){0, 4, 8, 8, NAN, NAN}, 8, 2, 3, " ⣿ \n⣸⣿ \n");
}

static void blocks_and_ascii_have_one(void **st)
{
	(void)st;
	rows(GRAPH_BLOCKS, (double[]){0, 4, 8, 16, NAN}, 16, 2, 5, "   █ \n▁▄██ \n");
	rows(GRAPH_ASCII, (double[]){0, 4, 8, 12, NAN}, 16, 2, 5, "   - \n_-## \n");
}

static void above_the_scale_is_full(void **st)
{
	(void)st;
	rows(GRAPH_ASCII, (double[]){1e9, -5}, 1, 2, 2, "# \n#_\n");
}

/* --- figures --- */

static void figures_fit_their_cells(void **st)
{
	static const struct {
		double v;
		const char *cpu, *rate;
	} all[] = {{0, "0%", "0"},	   {0.4, "0%", "0"},	   {12.5, "13%", "12"},
		   {999.4, "999%", "999"}, {1000, "1000", "1.0K"}, {123456, "123k", "121K"},
		   {-4, "0%", "-"},	   {NAN, "-", "-"}};
	char out[FIGTEXT];
	(void)st;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		figtext_cpu(all[i].v, out);
		assert_string_equal(out, all[i].cpu);
		figtext_rate(all[i].v, out);
		assert_string_equal(out, all[i].rate);
	}
}

static void ages_have_five_cells(void **st)
{
	static const struct {
		int64_t ms;
		const char *text;
	} all[] = {{-1, "-"},
		   {400, "0.4s"},
		   {7860000, "2h11m"},
		   {86400000LL * 3 + 3600000 * 4, "3d4h"},
		   {86400000LL * 12, "12d"},
		   {86400000LL * 400, "400d"}};
	char out[FIGTEXT];
	(void)st;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		figtext_age(all[i].ms, out);
		assert_string_equal(out, all[i].text);
	}
}

static void memory_is_short_or_exact(void **st)
{
	char out[FIGTEXT];
	(void)st;
	figtext_mem(225024410, 0, out);
	assert_string_equal(out, "214.6M");
	figtext_mem(225024410, 1, out);
	assert_string_equal(out, "215M");
	figtext_mem(12LL << 30, 1, out);
	assert_string_equal(out, "12G");
	figtext_mem(-1, 1, out);
	assert_string_equal(out, "-");
	figtext_part((int64_t)(2.9 * (1 << 30)), (int64_t)(23.5 * (1 << 30)), out);
	assert_string_equal(out, "2.9/23.5G");
	figtext_part(55364813, 512 << 20, out);
	assert_string_equal(out, "52.8/512M");
	figtext_part(INT64_MAX, INT64_MAX, out);
	assert_true(strlen(out) < FIGTEXT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_step_without_a_sample_is_a_gap),
					   cmocka_unit_test(a_clock_that_jumps_does_no_harm),
					   cmocka_unit_test(more_than_it_keeps_is_forgotten),
					   cmocka_unit_test(cells_are_aligned_in_time),
					   cmocka_unit_test(a_spark_has_eight_levels_and_blanks),
					   cmocka_unit_test(scales_are_steps_of_1_2_5),
					   cmocka_unit_test(braille_has_two_points_a_cell),
					   cmocka_unit_test(blocks_and_ascii_have_one),
					   cmocka_unit_test(above_the_scale_is_full),
					   cmocka_unit_test(figures_fit_their_cells),
					   cmocka_unit_test(ages_have_five_cells),
					   cmocka_unit_test(memory_is_short_or_exact)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
