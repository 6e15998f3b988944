/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MONITPAGE_H
#define PMCTL_CLIENT_MONITPAGE_H
/* monitpage - the log pane's lines out of the dashboard: into a file, and the files into a pager.
 */
#include "client/monitfiles.h"
#include "ui/ui.h"

/* Write the lines the filter shows, all that the pane has, to a new file only we may read. What
 * became of it stands in the status line. */
void monitpage_save(struct ui *ui, const char *path);
/* $PAGER, or less, on these files, in the terminal that is ours no longer (screen_suspend()).
 * Returns when it has ended. */
void monitpage_page(struct ui *ui, const struct monitfiles *files);

#endif
