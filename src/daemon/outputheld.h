/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_DAEMON_OUTPUTHELD_H
#define PMCTL_DAEMON_OUTPUTHELD_H
/*
 * outputheld - what the keeper holds of an output: its pipe, and its file, for copying while no
 * supervisor is there, or its spool. Names are KIND.KEY of the output.
 */
struct output;
struct outputs;
struct sink;

/* The file an output writes to, if the keeper may write there as it is. */
void outputheld_file_of(const struct output *out);
/* It is another one than before for all pipes that lead there. */
void outputheld_file(struct outputs *o, const struct sink *s);
void outputheld_pipe(const struct output *out);
void outputheld_spool(const struct output *out);
/* It holds no more: pipe, file or spool. */
void outputheld_drop(const struct output *out, const char *kind);

#endif
