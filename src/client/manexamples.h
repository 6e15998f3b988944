/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_MANEXAMPLES_H
#define PMCTL_CLIENT_MANEXAMPLES_H
/* manexamples - the section EXAMPLES of pmctl.ini.5, in scdoc's syntax: every key stands in one
 * that pmctl check accepts. */

extern const char manexamples[];

#endif
