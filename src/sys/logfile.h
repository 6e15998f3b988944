/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_SYS_LOGFILE_H
#define PMCTL_SYS_LOGFILE_H
/*
 * logfile - one log file being written, with its side index and its rotation by rename.
 *
 * Raw bytes go from the pipe into the file inside the kernel (splice(2)): a process killed
 * between two system calls has neither taken a byte from the pipe without writing it nor written
 * one twice. The file is therefore opened without O_APPEND; there is one writer per file.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "sys/asuser.h"

struct logfile {
	char *path;
	uid_t owner;	    /* whose output it is: see logfile_set_owner() */
	struct asuser user; /* the same, with groups */
	bool foreign;	    /* we are root and the owner is not */
	bool chosen;	    /* somebody chose the path: its directories are looked at */
	int fd;		    /* -1 = not open */
	int idx_fd;	    /* side index; -1 = not open */
	int64_t size;	    /* bytes in the file */
	int64_t indexed;    /* size at the last mark */
	int64_t before;	    /* bytes of the stream in files before this one; 0 = not known */
	int64_t max_size;   /* 0 = never rotate */
	int keep;
	bool compress;	 /* the caller compresses PATH.1 after a rotation */
	pid_t last_pid;	 /* of the last start mark */
	int64_t dropped; /* bytes that found no room since the last drop mark */
};

/* Does not open anything yet. path is copied. */
void logfile_init(struct logfile *f, const char *path, int64_t max_size, int keep, bool compress);
void logfile_finish(struct logfile *f);

/* Whose output it is. Before logfile_open(), else it is ours and the directory is trusted. Where
 * somebody else could make a `chosen` path lead elsewhere, root works on it with the rights of that
 * user, and not at all if that is root. */
void logfile_set_owner(struct logfile *f, const struct asuser *user, bool chosen);

/* Open for writing at the end; creates it with mode 0640. Refuses anything but a regular file
 * with one link that belongs to us, to root or to its owner. True if it is open already. */
bool logfile_open(struct logfile *f, struct err *err);
/* Close it; the next logfile_open() opens it anew. */
void logfile_close(struct logfile *f);
/* Whether the path still leads to the open file (it was not removed, renamed or replaced). */
bool logfile_is_current(const struct logfile *f);

/* Move at most `max` bytes from a pipe. As splice(2): 0 = end of file, -1 with errno. */
ssize_t logfile_splice(struct logfile *f, int pipe_fd, size_t max);
/* Somebody has cut the file: go on at its end, not at ours. True if so. */
bool logfile_follow_size(struct logfile *f);
/* Write all bytes, or as many as fit. False with errno if something was left out. */
bool logfile_write(struct logfile *f, const void *data, size_t len);

/* Take back the bytes from this size on: of a write that was not completed. */
void logfile_cut(struct logfile *f, int64_t size);

/* Note in the index that all bytes so far were there at real_ns. */
void logfile_mark(struct logfile *f, int64_t real_ns);
/* Note in the index that the bytes from here on come from this process. */
void logfile_mark_start(struct logfile *f, pid_t pid);

/* Whether the file is over its size and a line ends here (or none ends for too long). */
bool logfile_is_full(const struct logfile *f);
/* PATH -> PATH.1 -> PATH.2 ... with their indexes; what is beyond `keep` goes. Closes the file.
 * False if one could not be renamed; no log is lost then, and the next rotation goes on there. */
bool logfile_rotate(struct logfile *f, struct err *err);
/* Empty the file and remove what was rotated. */
void logfile_flush(struct logfile *f);
/* Whether the path is one to be worked on as its owner: for what is done beside it. */
bool logfile_is_users(const struct logfile *f);

#endif
