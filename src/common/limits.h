/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_LIMITS_H
#define PMCTL_COMMON_LIMITS_H
/*
 * limits - everything another process can fill is bounded here.
 *
 * This is what makes aborting on out of memory honest: no client, app or file can make the
 * supervisor grow beyond these numbers.
 */

/* Names and the INI file (INTERFACE: section 2 of the contract) */
#define LIMIT_NAME	    40		/* bytes of an app name */
#define LIMIT_INI_LINE	    (64 * 1024) /* bytes of one line */
#define LIMIT_INI_FILE	    (16 * 1024 * 1024)
#define LIMIT_APPS	    10000	  /* in one file, and in one daemon */
#define LIMIT_INSTANCES_APP 1000	  /* instances of one app */
#define LIMIT_INSTANCES	    4096	  /* instances in one daemon */
#define LIMIT_REVISIONS	    10		  /* definitions before that of one app */
#define LIMIT_ENV_FILE	    (1024 * 1024) /* bytes of an env_file */
#define LIMIT_LISTEN	    32		  /* sockets in one `listen =` */

/* App lists of others */
#define LIMIT_IMPORT	     (1024 * 1024) /* bytes of the list a program gives */
#define LIMIT_IMPORT_MS	     10000	   /* for that program */
#define LIMIT_IMPORT_PRINTED (16 * 1024)   /* bytes kept of what it prints */

/* Control socket */
#define LIMIT_MESSAGE	   (1024 * 1024)      /* bytes of one message from a client */
#define LIMIT_CONNS	   256		      /* connections held; the oldest idle one makes room */
#define LIMIT_CONN_QUEUE   (8 * 1024 * 1024)  /* bytes waiting for a client that does not read */
#define LIMIT_CONN_UNREAD  (256 * 1024)	      /* bytes waiting: then no request is taken */
#define LIMIT_LINE_WAIT_MS 5000		      /* a client that began a line and does not end it */
#define LIMIT_REPLY	   (64 * 1024 * 1024) /* bytes of one answer a client accepts */
#define LIMIT_STAGED	   (48 * 1024 * 1024) /* bytes of definitions for requests to come */
#define LIMIT_SELECTORS	   1000		      /* selectors in one request */
#define LIMIT_OP_KEY	   64		      /* bytes of a client's name for its operation */
#define LIMIT_OUTCOMES	   256		      /* of operations, kept for who may still ask */
#define LIMIT_OUTCOMES_ALL (1024 * 1024)      /* bytes of them together */
#define LIMIT_OUTCOME_S	   600		      /* how long one is kept */

/* Metrics over HTTP */
#define LIMIT_SCRAPE_LISTEN	16		   /* addresses at which they are served */
#define LIMIT_SCRAPES		64		   /* connections at a time; others wait */
#define LIMIT_SCRAPE_REQUEST_MS 5000		   /* to send a request */
#define LIMIT_SCRAPE_CROWDED_MS 500		   /* ... while others wait */
#define LIMIT_SCRAPE_MS		10000		   /* for all of it */
#define LIMIT_SCRAPE_BYTES	(16 * 1024 * 1024) /* of texts being sent: then no more are made */

/* Node channel */
#define LIMIT_CHANNEL_LINE  (8 * 1024 * 1024) /* bytes of one line from a worker */
#define LIMIT_CHANNEL_QUEUE (4 * 1024 * 1024) /* bytes waiting for a worker that does not read */
#define LIMIT_MESSAGES_S    5		      /* events a second made of one worker's messages */
#define LIMIT_CLUSTER_KEYS  256		      /* listening keys of one app */
#define LIMIT_CONNS_GIVEN   16 /* connections given to a worker and not accepted by it yet */

/* Logs and events */
#define LIMIT_LOG_LINE	 (64 * 1024) /* longer lines are split with a mark when shown */
#define LIMIT_EVENTS	 1000	     /* events remembered */
#define LIMIT_EVENT_TEXT 280	     /* bytes of an event's text */
#define LIMIT_PATTERN	 4096	     /* bytes of a regular expression; its parser is recursive */
#define LIMIT_LAST_LINES 25	     /* log lines shown with a failure */
#define LIMIT_STREAM_BEHIND                                                                        \
	(16 * 1024 * 1024) /* bytes of one log that pmctld --logs may be behind */

/* Watched files, of all apps together */
#define LIMIT_WATCH_DIRS  50000
#define LIMIT_WATCH_FILES 200000
#define LIMIT_WATCH_SIZE  (8 * 1024 * 1024) /* bytes of a file whose contents are compared */

#endif
