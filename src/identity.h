/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_IDENTITY_H
#define NETPROBE_IDENTITY_H

#include "record.h"

/*
 * What the records of some datasets have in common, for whoever asks what they tell and not
 * by which protocol (dataset.identify, dataset.lookup).  What is pointed to is the record's.
 */

/* Why a name is a device's: the more deliberately it chose it, the higher. */
enum name_rank { NAME_NONE, NAME_LOCAL, NAME_FQDN, NAME_HOST };

/* A record that tells who is there on the link it was seen on. */
struct identity {
	uint8_t told_by;		/* index into dataset.tells */
	uint8_t mac[6];
	struct addr addr;		/* it has it; family 0: not told */
	struct str name;		/* n 0: not told */
	enum name_rank rank;
	struct str class_id;		/* what kind of client it says it is */
	const struct list *options;	/* uint16_t: what it asks for, in its order; NULL: not told */
	bool wants_address;		/* it asks for one */
	bool relayed;			/* the frame is not its own */
};

/* A name that is looked up. */
struct lookup {
	struct str name;
	bool asked;			/* this asks for it */
	bool missing;			/* this says that there is no such name */
};

#endif
