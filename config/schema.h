/* schema.h - the option tables of the configuration and the plain structs they fill; config.c joins them. */
#ifndef INLET_CONFIG_SCHEMA_H
#define INLET_CONFIG_SCHEMA_H

#include "config/config.h"
#include "config/option.h"

/* Sections as they are read: nodes that have a table of their own are kept as nodes. */
struct file_section {
	char *state_dir;
	bool normalize;
	const struct yaml_node *sources, *models, *limits, *inference, *fetch, *decode, *import;
};
struct source_section {
	char *name;
	const struct yaml_node *folder, *s3, *gcs, *manifest; /* one of them */
};
struct manifest_section {
	const struct yaml_node *folder, *s3, *gcs; /* one of them */
	const struct yaml_node *columns;
	struct manifest_config config;
};
struct import_section {
	const struct yaml_node *columns;
	struct import_config config;
};
struct model_section {
	char *card; /* as written */
	const struct yaml_node *bands;
};
struct bands_section {
	float accept, review; /* NAN: not given */
	const struct yaml_node *concepts;
};

extern const struct option file_options[];      /* struct file_section */
extern const struct option source_options[];    /* struct source_section */
extern const struct option folder_options[];    /* struct source_config, as those of all kinds */
extern const struct option s3_options[];
extern const struct option gcs_options[];
extern const struct option manifest_options[];  /* struct manifest_section */
extern const struct option model_options[];     /* struct model_section */
extern const struct option bands_options[];     /* struct bands_section */
extern const struct option limits_options[];    /* struct limits_config */
extern const struct option inference_options[]; /* struct config */
extern const struct option fetch_options[];     /* struct config */
extern const struct option decode_options[];    /* struct config */
extern const struct option import_options[];    /* struct import_section */
extern const struct option columns_options[];   /* struct columns_config */

#endif
