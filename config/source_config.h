/* source_config.h - reads one entry of `sources`: its name, what kind of source it is, and that kind's options. */
#ifndef INLET_CONFIG_SOURCE_CONFIG_H
#define INLET_CONFIG_SOURCE_CONFIG_H

#include "config/config.h"
#include "config/option.h"

/* section is "sources[0]", for messages. ret begins zeroed; on failure what was filled stays, source_config_done() frees it. */
int source_config_read(const struct yaml_node *n, const struct option_place *at, const char *section,
	struct source_config *ret, struct err *err);
/* The same bucket at the same endpoint, and no filter that would make two sources of it. Both are buckets of one scheme. */
bool source_config_same_bucket(const struct source_config *a, const struct source_config *b);
bool source_config_is_bucket(const struct source_config *s);
/* "s3://bucket/prefix" or a folder's path, printable, as much of it as fits. */
void source_config_describe(const struct source_config *s, char *ret_text, size_t size);
void source_config_done(struct source_config *s);
void source_config_help(FILE *to);

#endif
