/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_PARTS_H
#define NETPROBE_DATAPLANE_PARTS_H

#include "dataplane/rules.h"

/* What nft.c and legacy.c have in common. */

/* Bytes of the input; p NULL: not there.  A text ends with the bytes or at a NUL, whichever comes first. */
struct part {
	const uint8_t *p;
	size_t n;
};

enum { NF_TEXT_MAX = 256, NF_COMMENTS_MAX = 1024, NF_NOWHERE = -1 };	/* XT_MAX_COMMENT_LEN, NFT_NAME_MAXLEN */

bool nf_is(struct part text, const char *word);
/* A copy that r owns.  NULL: no text, more than NF_TEXT_MAX bytes, or no memory. */
const char *nf_keep(struct nf_rules *r, struct part text);
/* One more comment of a rule, behind those it has: Calico writes two, of which the second is for people.  "A\nB" */
void nf_comment(struct nf_rules *r, struct nf_rule *rule, struct part text);
/* Something of r found no memory: it is incomplete. */
void nf_failed(struct nf_rules *r);
/* 0, or -ENOMEM, said, when that was so. */
int nf_state(struct nf_rules *r);

/* c without its names.  Its index; NF_NOWHERE: counted in broken (no name, or one that is there), or cut. */
int64_t nf_chain_add(struct nf_rules *r, const struct nf_chain *c, struct part table, struct part name);
/* The index of what nf_chain_find() returns, or NF_NOWHERE. */
int64_t nf_chain_index(const struct nf_rules *r, uint8_t via, uint8_t family, struct part table, struct part name);
void nf_rule_add(struct nf_rules *r, const struct nf_rule *rule);

/* A match and a target of x_tables, as both kernels' interfaces hand them over: info is the match's own struct. */
void nf_take_match(struct nf_rules *r, struct nf_rule *rule, struct part name, struct part info);
void nf_take_uid(struct nf_rule *rule, uint32_t uid);
void nf_take_target(struct nf_rules *r, struct nf_rule *rule, uint8_t family, struct part name, struct part info);

#endif
