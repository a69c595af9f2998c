/* source_config.h - reads one entry of `sources`: its name, what kind of source it is, and that kind's options. */
#ifndef INLET_CONFIG_SOURCE_CONFIG_H
#define INLET_CONFIG_SOURCE_CONFIG_H

#include "config/config.h"
#include "config/option.h"

/* section is "sources[0]", for messages. import: what a source of manifests does not say for itself. ret begins zeroed; on failure what
 * was filled stays, source_config_done() frees it. */
int source_config_read(const struct yaml_node *n, const struct option_place *at, const char *section,
	const struct import_config *import, struct source_config *ret, struct err *err);
/* Where the place of entry i of `sources` stands, for messages: its node, and "sources[0].manifest.folder", owned by the caller. */
const struct yaml_node *source_config_place(const struct yaml_node *sources, size_t i, const struct source_config *s);
char *source_config_section(size_t i, const struct source_config *s);
/* The same bucket at the same endpoint, and no filter that would make two sources of it. Both are buckets of one scheme. */
bool source_config_same_bucket(const struct source_config *a, const struct source_config *b);
bool source_config_is_bucket(const struct source_config *s);
const char *source_config_url_scheme(const struct source_config *s); /* of a bucket's objects: "s3" or "gs" */
/* Of a bucket: is it asked without encryption, across a network? */
bool source_config_in_the_clear(const struct source_config *s);
/* "s3://bucket/prefix" or a folder's path, printable, as much of it as fits. */
void source_config_describe(const struct source_config *s, char *ret_text, size_t size);
void source_config_done(struct source_config *s);
void source_config_help(FILE *to);

#endif
