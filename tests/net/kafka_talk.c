// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kafka_talk [BOOTSTRAP]: without an argument, a mock cluster of librdkafka: it prints its
 * address, produces three messages to topic "probe", consumes them, and waits for its standard
 * input to end.  With one, a client that asks BOOTSTRAP for the topic's metadata.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *const *settings)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];
	rd_kafka_t *rk;

	for (; settings[0]; settings += 2) {
		if (rd_kafka_conf_set(conf, settings[0], settings[1], error, sizeof(error))) {
			fprintf(stderr, "%s: %s\n", settings[0], error);
			exit(1);
		}
	}
	rk = rd_kafka_new(type, conf, error, sizeof(error));
	if (!rk) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	return rk;
}

static int ask(const char *bootstrap)
{
	rd_kafka_t *rk = open_client(RD_KAFKA_PRODUCER,
				     (const char *[]){ "bootstrap.servers", bootstrap, "client.id", "asker",
						       "broker.address.family", "any", NULL });
	const struct rd_kafka_metadata *m;
	rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 1, NULL, &m, 10000);

	if (err) {
		fprintf(stderr, "%s\n", rd_kafka_err2str(err));
		return 1;
	}
	printf("%d topics\n", m->topic_cnt);
	rd_kafka_metadata_destroy(m);
	rd_kafka_destroy(rk);
	return 0;
}

static int produce(rd_kafka_t *rk)
{
	static const char *const texts[] = { "one", "two", "three" };

	for (int i = 0; i < 3; i++) {
		if (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("probe"), RD_KAFKA_V_PARTITION(0),
				      RD_KAFKA_V_VALUE((void *)texts[i], strlen(texts[i])), RD_KAFKA_V_END))
			return 1;
		rd_kafka_flush(rk, 10000);
	}
	return 0;
}

static int consume(const char *bootstrap)
{
	rd_kafka_t *rk = open_client(RD_KAFKA_CONSUMER,
				     (const char *[]){ "bootstrap.servers", bootstrap, "client.id", "eater",
						       "group.id", "diners", "auto.offset.reset", "earliest",
						       NULL });
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
	int got = 0;

	rd_kafka_topic_partition_list_add(topics, "probe", 0)->offset = 0;
	rd_kafka_assign(rk, topics);
	for (int tries = 0; got < 3 && tries < 100; tries++) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);

		if (!m)
			continue;
		got += !m->err;
		rd_kafka_message_destroy(m);
	}
	rd_kafka_topic_partition_list_destroy(topics);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return got != 3;
}

int main(int argc, char **argv)
{
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	char c;

	if (argc > 1)
		return ask(argv[1]);
	rk = open_client(RD_KAFKA_PRODUCER,
			 (const char *[]){ "client.id", "cook", "test.mock.num.brokers", "1", NULL });
	cluster = rd_kafka_handle_mock_cluster(rk);
	rd_kafka_mock_topic_create(cluster, "probe", 1, 1);
	if (produce(rk) || consume(rd_kafka_mock_cluster_bootstraps(cluster)))
		return 1;
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	rd_kafka_destroy(rk);
	return 0;
}
