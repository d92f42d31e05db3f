/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PIPELINE_H
#define NETPROBE_PIPELINE_H

#include "account.h"
#include "decode/decode.h"
#include "detect/detect.h"
#include "filter/filter.h"
#include "frame.h"
#include "sink/sink.h"
#include "stats/gather.h"
#include "util/buf.h"
#include "where.h"

/*
 * The data path, in a few functions: frame → filter (what the kernel could not
 * do) → decode → sinks, with detectors and a gather between the last two when there are.
 * The pipeline owns nothing but itself.
 */
enum { PIPELINE_SINKS_MAX = 2, PIPELINE_LINKS = UINT16_MAX + 1 };

/*
 * Who takes frames in place of decoders, and makes records of its own: pipeline_record().  Each returns 0, or what ends
 * the run: 1 quietly, a negative errno.
 */
enum { STAGE_FDS = 4 };

struct frame_stage {
	int (*begin)(void *ctx);			/* privileges are gone, no frame was read yet */
	int (*frame)(void *ctx, const struct frame *f);	/* NULL: frames are none of its */
	int (*tick)(void *ctx, uint64_t now_ns);	/* once a second, and when wait_ms is over */
	int (*finish)(void *ctx, uint64_t now_ns);
	int (*lost)(void *ctx, uint64_t now_ns);	/* what it lost since it was last asked: pipeline_lost() */
	int (*wait_ms)(void *ctx);			/* until it wants tick() though no frame comes; -1: not */
	int (*ready)(void *ctx);			/* one of `fds` can be read */
	int fds[STAGE_FDS];				/* -1: none */
	void *ctx;
};

struct pipeline {
	struct decode *decode;			/* NULL: only sinks that want frames */
	struct sink *sinks[PIPELINE_SINKS_MAX];
	unsigned int n_sinks;
	struct detect *detect;			/* NULL: none; its alerts are records too */
	uint64_t shown;				/* with detect: dataset_bit() of what else comes out */
	const struct where *where;		/* NULL: every record */
	struct account *account;		/* NULL; else counts the frames in place of `decode` */
	const struct frame_stage *stage;	/* NULL; else takes them in place of both, or none at all */
	struct gather *gather;			/* NULL; else takes all records but lost, its rows come out */
	/* With account: further rows, behind its own; NULL: none. */
	int (*beside)(void *ctx, uint64_t now_ns, record_fn fn, void *fn_ctx);
	void *beside_ctx;
	uint64_t rows_every_ns, rows_next_ns;	/* how often and when; 0: at the end only */
	uint64_t rows_times;			/* how often at most; 0: no limit */
	bool rows_by_frames;			/* by the frames' time, from the first of them on; else by the clock */
	bool rows_paused;			/* by the clock: none until it is over, then of all that time */
	bool rows_whole;			/* by the clock: the last rows have the rates of a whole interval */
	uint64_t rows_bps;			/* of all rows told last */
	bool ends_told;				/* account's rows are flows that end, from now on */
	bool rows_stamped;			/* each row has the time that it stands for */
	uint64_t rows_told_ns;			/* what the rows that are being given stand for */
	uint64_t rows_now_ns;			/* by_frames: the latest time that frames have told */
	uint64_t rows_empty, rows_left_out;	/* by_frames: of intervals without frames: given; passed over */
	struct frame held;			/* by_frames: far ahead of the others, so the next one tells whether */
	struct buf held_data;			/* its stamp holds; n 0: none is held */
	uint64_t limit;				/* -c; 0: no limit */

	/* Files only; a live source has done it, in the kernel or by its match(). */
	const char *filter_text;		/* NULL: everything */
	bool strict, inner;
	struct filter **filters;		/* by link type, each when first needed; owned, NULL: none yet */
	uint8_t direction;			/* enum direction; DIR_UNKNOWN: both */
	bool (*wants_drop)(void *ctx, const struct frame *f);	/* live too; NULL: every drop */
	void *drop_ctx;

	uint64_t frames, filtered;		/* taken from the source; refused here */
	uint64_t refused;			/* records that `where` left out */
	uint64_t records;			/* frames written to a capture, else records */
	uint64_t lost;				/* told by lost records */
	uint64_t last_ns;			/* of the last frame */
	uint64_t unfiltered_links;	/* frames refused: the filter means nothing for their link type */
	uint64_t undirected;			/* frames that `direction` let pass, their own not being known */
	bool done;				/* the limit was reached */
	struct decode_counts counted;		/* what `lost` records have already told */
	uint64_t told_evicted;			/* of gather's */
	struct detect_counts detected;		/* what `lost` records have told of it */
};

/* Does the filter mean something for frames of that link type?  Says so when it does not, once. */
bool pipeline_can_filter(struct pipeline *p, uint16_t link);
/* Is the frame none that is asked for?  Counted then, as pipeline_frame() does. */
bool pipeline_refuses(struct pipeline *p, const struct frame *f);
int  pipeline_frame(void *pipeline, const struct frame *f);	/* a frame_fn */
/* One record of the stage's own, through --where to the sinks. */
int  pipeline_record(struct pipeline *p, const struct record *r);
/* One lost record, to every sink. */
int  pipeline_lost(struct pipeline *p, enum lost_stage stage, const char *reason, uint64_t count, uint64_t start_ns,
		   uint64_t end_ns);
/* Once a second: timeouts, and what the decoders lost since the last call. */
int  pipeline_tick(struct pipeline *p, uint64_t now_ns);
/* Reading begins: intervals of the clock are from here on. */
int  pipeline_begin(struct pipeline *p, uint64_t now_ns);
/* By the clock: rows, when it is time for them; when `rows_next_ns` says. */
int  pipeline_rows(struct pipeline *p, uint64_t now_ns);
/* The rows that were told last once more, in another order or for another width. */
int  pipeline_again(struct pipeline *p);
/* A pipe brings nothing for now. */
int  pipeline_idle(struct pipeline *p);
/* No more frames: fire what is pending. */
int  pipeline_finish(struct pipeline *p, uint64_t now_ns);
int  pipeline_flush(struct pipeline *p);
void pipeline_close(struct pipeline *p);

#endif
