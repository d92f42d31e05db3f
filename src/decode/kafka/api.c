// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/kafka/api.h"

#include <string.h>

#include "decode/cursor.h"

/*
 * Layouts.  One letter a field: b h i l are integers of 1, 2, 4, 8 bytes, u a UUID, s a
 * string, y bytes, T a topic's name, A the acks of Produce.  [ ] is an array of structs, ( )
 * one of plain values.  "3+s" is there from version 3 on, "0-12T" in versions 0 to 12.  In
 * flexible versions lengths are variable and each struct ends with tagged fields.
 */
static const struct kafka_api apis[] = {
	[0] = { "Produce", 9, 13, "3+sAi[0-12T13+u[iy]]" },
	[1] = { "Fetch", 12, 18, "0-14iii3+i4+b7+i7+i[0-12T13+u[i9+il12+i5+li]]7+[0-12T13+u(i)]" },
	[2] = { "ListOffsets", 6, 11, "i2+b[T[i4+il0-0i]]" },
	[3] = { "Metadata", 9, 13, "[10+uT]" },
	[4] = { "LeaderAndIsr", 4, 7, "i7+bi2+l5+b0-1[Tiiii(i)i(i)1+b]2+[T5+u[iiii(i)i(i)3+(i)3+(i)b6+b]]" },
	[5] = { "StopReplica", 2, 4, "i4+bi1+l0-2b0-0[Ti]1-2[T(i)]3+[T[iib]]" },
	[6] = { "UpdateMetadata", 6, 8, "i8+bi5+l0-4[Tiiii(i)i(i)4+(i)]5+[T7+u[iiii(i)i(i)(i)]]" },
	[7] = { "ControlledShutdown", 3, 3, NULL },
	[8] = { "OffsetCommit", 8, 10, "s1+i1+s7+s2-4l[0-9T10+u[il1-1l6+is]]" },
	[9] = { "OffsetFetch", 6, 10, NULL },	/* see request_layout() */
	[10] = { "FindCoordinator", 3, 6, NULL },
	[11] = { "JoinGroup", 6, 9, NULL },
	[12] = { "Heartbeat", 4, 4, NULL },
	[13] = { "LeaveGroup", 4, 5, NULL },
	[14] = { "SyncGroup", 4, 5, NULL },
	[15] = { "DescribeGroups", 5, 6, NULL },
	[16] = { "ListGroups", 3, 5, NULL },
	[17] = { "SaslHandshake", KAFKA_NEVER, 1, NULL },
	[18] = { "ApiVersions", 3, 5, NULL },
	[19] = { "CreateTopics", 5, 7, "[Tih[i(i)][ss]]" },
	[20] = { "DeleteTopics", 4, 6, NULL },	/* likewise */
	[21] = { "DeleteRecords", 2, 2, "[T[il]]" },
	[22] = { "InitProducerId", 2, 6, NULL },
	[23] = { "OffsetForLeaderEpoch", 4, 4, "3+i[T[i2+ii]]" },
	[24] = { "AddPartitionsToTxn", 3, 5, NULL },	/* likewise */
	[25] = { "AddOffsetsToTxn", 3, 4, NULL },
	[26] = { "EndTxn", 3, 5, NULL },
	[27] = { "WriteTxnMarkers", 1, 2, "[lhb[T(i)]i]" },
	[28] = { "TxnOffsetCommit", 3, 5, "sslh3+i3+s3+s[T[il2+is]]" },
	[29] = { "DescribeAcls", 2, 3, NULL },
	[30] = { "CreateAcls", 2, 3, NULL },
	[31] = { "DeleteAcls", 2, 3, NULL },
	[32] = { "DescribeConfigs", 4, 4, NULL },
	[33] = { "AlterConfigs", 2, 2, NULL },
	[34] = { "AlterReplicaLogDirs", 2, 2, "[s[T(i)]]" },
	[35] = { "DescribeLogDirs", 2, 5, "[T(i)]" },
	[36] = { "SaslAuthenticate", 2, 2, NULL },
	[37] = { "CreatePartitions", 2, 3, "[Ti[(i)]]" },
	[38] = { "CreateDelegationToken", 2, 3, NULL },
	[39] = { "RenewDelegationToken", 2, 2, NULL },
	[40] = { "ExpireDelegationToken", 2, 2, NULL },
	[41] = { "DescribeDelegationToken", 2, 3, NULL },
	[42] = { "DeleteGroups", 2, 2, NULL },
	[43] = { "ElectLeaders", 2, 2, "1+b[T(i)]" },
	[44] = { "IncrementalAlterConfigs", 1, 1, NULL },
	[45] = { "AlterPartitionReassignments", 0, 1, "i1+b[T[i(i)]]" },
	[46] = { "ListPartitionReassignments", 0, 0, "i[T(i)]" },
	[47] = { "OffsetDelete", KAFKA_NEVER, 0, "s[T[i]]" },
	[48] = { "DescribeClientQuotas", 1, 1, NULL },
	[49] = { "AlterClientQuotas", 1, 1, NULL },
	[50] = { "DescribeUserScramCredentials", 0, 0, NULL },
	[51] = { "AlterUserScramCredentials", 0, 0, NULL },
	[52] = { "Vote", 0, 2, NULL },
	[53] = { "BeginQuorumEpoch", 1, 1, NULL },
	[54] = { "EndQuorumEpoch", 1, 1, NULL },
	[55] = { "DescribeQuorum", 0, 2, "[T[i]]" },
	[56] = { "AlterPartition", 0, 3, "il[0-1T2+u[ii0-2(i)3+[il]1+bi]]" },
	[57] = { "UpdateFeatures", 0, 2, NULL },
	[58] = { "Envelope", 0, 0, NULL },
	[59] = { "FetchSnapshot", 0, 1, NULL },
	[60] = { "DescribeCluster", 0, 2, NULL },
	[61] = { "DescribeProducers", 0, 0, "[T(i)]" },
	[62] = { "BrokerRegistration", 0, 4, NULL },
	[63] = { "BrokerHeartbeat", 0, 1, NULL },
	[64] = { "UnregisterBroker", 0, 0, NULL },
	[65] = { "DescribeTransactions", 0, 0, NULL },
	[66] = { "ListTransactions", 0, 2, NULL },
	[67] = { "AllocateProducerIds", 0, 0, NULL },
	[68] = { "ConsumerGroupHeartbeat", 0, 1, "ssissi(T)" },
	[69] = { "ConsumerGroupDescribe", 0, 1, NULL },
	[70] = { "ControllerRegistration", 0, 0, NULL },
	[71] = { "GetTelemetrySubscriptions", 0, 0, NULL },
	[72] = { "PushTelemetry", 0, 0, NULL },
	[73] = { "AssignReplicasToDirs", 0, 0, NULL },
	[74] = { "ListConfigResources", 0, 1, NULL },
	[75] = { "DescribeTopicPartitions", 0, 0, "[T]" },
	[76] = { "ShareGroupHeartbeat", 0, 1, "ssis(T)" },
	[77] = { "ShareGroupDescribe", 0, 1, NULL },
	[78] = { "ShareFetch", 0, 2, NULL },
	[79] = { "ShareAcknowledge", 0, 2, NULL },
	[80] = { "AddRaftVoter", 0, 1, NULL },
	[81] = { "RemoveRaftVoter", 0, 0, NULL },
	[82] = { "UpdateRaftVoter", 0, 0, NULL },
	[83] = { "InitializeShareGroupState", 0, 0, NULL },
	[84] = { "ReadShareGroupState", 0, 0, NULL },
	[85] = { "WriteShareGroupState", 0, 1, NULL },
	[86] = { "DeleteShareGroupState", 0, 0, NULL },
	[87] = { "ReadShareGroupStateSummary", 0, 1, NULL },
	[88] = { "StreamsGroupHeartbeat", 0, 0, NULL },
	[89] = { "StreamsGroupDescribe", 0, 0, NULL },
	[90] = { "DescribeShareGroupOffsets", 0, 1, "[s[T(i)]]" },
	[91] = { "AlterShareGroupOffsets", 0, 0, "s[T[il]]" },
	[92] = { "DeleteShareGroupOffsets", 0, 0, "s[T]" },
};

static const char metadata_response[] = "3+i[isi1+s]2+s1+i[hT10+u1+b[hii7+i(i)(i)5+(i)]8+i]";

const struct kafka_api *kafka_api(uint16_t key)
{
	return key < sizeof(apis) / sizeof(apis[0]) ? &apis[key] : NULL;
}

/* Of those that changed their shape. */
static const char *request_layout(const struct kafka_api *api, uint16_t version)
{
	if (api == &apis[9])
		return version < 8 ? "s[T(i)]" : "[s9+s9+i[T(i)]]";
	if (api == &apis[20])
		return version < 6 ? "(T)" : "[Tu]";
	if (api == &apis[24])
		return version < 4 ? "slh[T(i)]" : "[slhb[T(i)]]";
	return api->request;
}

/* ── the reader ─────────────────────────────────────────────────────────── */

enum { DEPTH_MAX = 5 };

struct level {
	const char *body;	/* of the array, behind its bracket */
	uint64_t left;		/* elements to come */
	bool structs;
};

struct reader {
	struct kafka_topics *t;
	struct cursor c;
	uint16_t version;
	bool flexible;
	struct level level[DEPTH_MAX];
	unsigned int depth;
};

/* Seven bits a byte, the least first; five bytes at most. */
static uint32_t uvarint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < 5; i++) {
		uint8_t b = cursor_u8(c);

		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if (!(b & 0x80))
			return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
	}
	c->bad = true;
	return 0;
}

/* A length or a count; null counts as 0. */
static uint32_t length(struct reader *r, bool is_short)
{
	uint32_t n;

	if (r->flexible) {
		n = uvarint(&r->c);
		return n ? n - 1 : 0;
	}
	n = is_short ? cursor_be16(&r->c) : cursor_be32(&r->c);
	if (is_short)
		return n & 0x8000 ? 0 : n;
	return n & 0x80000000u ? 0 : n;
}

/* Tagged fields (KIP-482): each a tag, a length, bytes. */
static void skip_tags(struct cursor *c)
{
	uint32_t n = uvarint(c);

	for (; n && !c->bad; n--) {
		uvarint(c);
		cursor_take(c, uvarint(c));
	}
}

uint32_t kafka_header_tags(const uint8_t *p, uint32_t n, uint32_t at)
{
	struct cursor c = cursor_over(p + at, at < n ? n - at : 0);

	skip_tags(&c);
	return c.bad ? n : (uint32_t)(c.p - p);
}

/* Each name once. */
static void add_topic(struct kafka_topics *t, const char *p, uint32_t n)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->names[i].n == n && !memcmp(t->names[i].p, p, n))
			return;
	if (t->n < KAFKA_TOPICS_MAX)
		t->names[t->n++] = (struct str){ p, n };
}

static void field(struct reader *r, char type)
{
	struct kafka_topics *t = r->t;
	const uint8_t *p;
	uint32_t n;

	switch (type) {
	case 'b': cursor_take(&r->c, 1); return;
	case 'h': cursor_take(&r->c, 2); return;
	case 'i': cursor_take(&r->c, 4); return;
	case 'l': cursor_take(&r->c, 8); return;
	case 'u': cursor_take(&r->c, 16); return;
	case 'y': cursor_take(&r->c, length(r, false)); return;
	case 's': cursor_take(&r->c, length(r, true)); return;
	case 'A':
		t->acks = (int16_t)cursor_be16(&r->c);
		t->has_acks = !r->c.bad;
		return;
	default: break;
	}
	n = length(r, true);
	p = cursor_take(&r->c, n);
	if (p && n)
		add_topic(t, (const char *)p, n);
}

/* Behind the bracket that closes this body. */
static const char *behind(const char *layout)
{
	unsigned int open = 1;

	for (; open; layout++)
		open += (*layout == '[' || *layout == '(') - (*layout == ']' || *layout == ')');
	return layout;
}

/* "3+", "0-12" in front of a field: is it in this version? */
static bool in_version(const char **layout, uint16_t version)
{
	const char *l = *layout;
	unsigned int min = 0, max = UINT16_MAX;

	if (*l < '0' || *l > '9')
		return true;
	for (; *l >= '0' && *l <= '9'; l++)
		min = min * 10 + (unsigned int)(*l - '0');
	if (*l++ == '-')
		for (max = 0; *l >= '0' && *l <= '9'; l++)
			max = max * 10 + (unsigned int)(*l - '0');
	*layout = l;
	return version >= min && version <= max;
}

static const char *open_array(struct reader *r, const char *layout, bool there)
{
	uint32_t n = there ? length(r, false) : 0;

	if (!n || r->c.bad || r->depth == DEPTH_MAX)
		return behind(layout + 1);
	r->level[r->depth++] = (struct level){ layout + 1, n, *layout == '[' };
	return layout + 1;
}

/* Where the layout goes on behind an array's last field. */
static const char *close_element(struct reader *r, const char *layout)
{
	struct level *l = &r->level[r->depth - 1];

	if (l->structs && r->flexible)
		skip_tags(&r->c);
	if (--l->left)
		return l->body;
	r->depth--;
	return layout + 1;
}

/* Ends: every turn reads bytes, or goes on in the layout; a cursor that is bad ends it. */
static void read_layout(struct reader *r, const char *layout)
{
	while (*layout && !r->c.bad) {
		bool there = in_version(&layout, r->version);

		if (*layout == ']' || *layout == ')') {
			layout = close_element(r, layout);
		} else if (*layout == '[' || *layout == '(') {
			layout = open_array(r, layout, there);
		} else {
			if (there)
				field(r, *layout);
			layout++;
		}
	}
}

void kafka_request_topics(struct kafka_topics *t, const struct kafka_api *api, uint16_t version,
			  const uint8_t *p, uint32_t n)
{
	const char *layout = request_layout(api, version);
	struct reader r = { .t = t, .c = cursor_over(p, n), .version = version,
			    .flexible = version >= api->flexible };

	t->n = 0;
	t->has_acks = false;
	if (layout && version <= api->max)
		read_layout(&r, layout);
}

void kafka_metadata_topics(struct kafka_topics *t, uint16_t version, const uint8_t *p, uint32_t n)
{
	const struct kafka_api *api = &apis[KAFKA_METADATA];
	struct reader r = { .t = t, .c = cursor_over(p, n), .version = version,
			    .flexible = version >= api->flexible };

	t->n = 0;
	if (version <= api->max)
		read_layout(&r, metadata_response);
}
