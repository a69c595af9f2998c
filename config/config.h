/* config.h - the parsed configuration: plain data, read once at start. Paths are absolute: those written in the file are
 * relative to it. schema.c holds the one option table (name, type, unit, min, max, default, help). */
#ifndef INLET_CONFIG_CONFIG_H
#define INLET_CONFIG_CONFIG_H

#include "daemon/base/cleanup.h"
#include "daemon/base/err.h"
#include "config/band.h"
#include "config/manifest_words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BUCKET_CONCURRENCY_MAX 256

enum store_mode { STORE_COPY, STORE_REFERENCE, STORE_REFLINK }; /* the first two: of every kind of source */

/* What becomes of an item when the last object that carries it is gone. */
enum on_gone { ON_GONE_KEEP, ON_GONE_EXCLUDE };
enum labels_from { LABELS_FROM_NONE, LABELS_FROM_DIRECTORY };
enum sidecars { SIDECARS_OFF, SIDECARS_JSON };

struct folder_config {
	char *path;
	uint64_t settle_ms;      /* default 2 s */
	uint64_t reconcile_ms;   /* default 1 h */
	uint64_t poll_ms;        /* 0 (default): inotify where it works; else poll at this interval */
	char **ignore;           /* further name patterns (fnmatch), NULL-terminated; temp names are always ignored */
};
/* What every kind of bucket has. Secrets are never in the YAML: only the files that hold them are named. */
struct bucket_config {
	char *bucket;
	char *prefix;            /* NULL: the whole bucket. Keys in the ledger are whole keys, prefix included */
	char **include, **exclude; /* globs over the key after prefix: '*' and '?' match any byte; NULL-terminated, never NULL */
	char *endpoint;          /* "https://host[:port]"; NULL: the provider's own. Written here, it may be reached, whatever it
	                          * resolves to */
	char *ca_file;           /* PEM; NULL: the system's */
	char *proxy;             /* NULL: none; the environment's are ignored */
	uint64_t poll_ms;        /* default 5 min */
	uint32_t concurrency;    /* objects fetched at once, at most; 0: the engine finds out */
};
struct s3_config {
	struct bucket_config at; /* first */
	char *region;            /* NULL: from the environment or profile, else learned */
	char *profile;           /* NULL: AWS_PROFILE, else "default" */
	char *credentials;       /* a file in the format of ~/.aws/credentials; NULL: AWS's order */
	bool path_style;         /* default: on where an endpoint is given */
	bool anonymous;
	bool request_payer;
};
struct gcs_config {
	struct bucket_config at; /* first */
	char *credentials;       /* a JSON key or workload identity file; NULL: Google's order */
	char *user_project;      /* billed for the requests; NULL */
	bool anonymous;
};
/* Columns of plain manifests by what they say; NULL: known by their usual names, as where a manifest has no column so named: the
 * mapping is for many manifests. */
struct columns_config {
	char *of[MANIFEST_ROLES];
};
/* A source of manifests: the objects of its place are lists, and what their rows name becomes items. */
struct manifest_config {
	char **roots;            /* folders beneath which rows may read files, absolute; NULL-terminated. Of a folder never empty: by default
	                          * the folder itself; of a bucket empty: rows name keys beside their manifest */
	char **names;            /* globs (key_filter.h) of the keys below the place that are manifests; empty: manifest_usual_name() */
	enum manifest_format format;
	enum manifest_input input;
	struct columns_config columns;
};
struct source_config {
	char *name;              /* [A-Za-z0-9._-]{1,64}, unique */
	const char *scheme;      /* "folder", "s3", "gcs": of its place */
	struct manifest_config *manifest; /* NULL: the objects themselves become items */
	enum store_mode store;   /* buckets: copy or reference */
	enum on_gone on_gone;
	enum labels_from labels_from; /* what says which labels an object has (daemon/manifest/path_label.h) */
	enum sidecars sidecars;  /* JSON: NAME.json beside NAME speaks of it and is no item (daemon/manifest/sidecar.h) */
	float max_vanish;        /* 0..1: where on_gone is not keep, a pass in which more than this went stops and asks */
	union {
		struct folder_config folder;
		struct bucket_config bucket; /* of s3 and gcs */
		struct s3_config s3;
		struct gcs_config gcs;
	};
};
struct model_config {
	char *card;              /* absolute: beside the configuration, else where shipped cards are installed */
	struct bands bands;
};
struct limits_config {
	uint64_t memory_bytes;   /* 512 MiB: buffers of fetch and decode hand-over */
	uint64_t object_bytes;   /* 10 GiB: larger objects are quarantined by size */
	uint64_t reserve_bytes;  /* 1 GiB */
	uint64_t map_bytes;      /* 256 GiB */
	uint64_t decode_bytes;   /* 100 MB: largest encoded object that is decoded */
	uint64_t pixels;         /* 100 Mpx */
	uint64_t decode_ms;      /* 30 s a file */
	uint32_t attempts;       /* 5: of what is not the outside world */
	uint64_t segment_bytes;  /* 1 GiB */
};
/* How manifests and folders are imported. */
struct import_config {
	struct columns_config columns;
	enum manifest_input input; /* what an `input` column holds */
	uint64_t field_bytes;    /* 1 MiB: the longest CSV field or JSON string */
	uint32_t batch;          /* 32: files of a folder that are imported at once */
};
struct config {
	char *file;              /* absolute path of the YAML */
	char *state_dir;
	struct source_config *sources;
	size_t source_count;
	struct model_config *models;
	size_t model_count;
	struct limits_config limits;
	bool normalize;
	uint32_t batch;          /* inference: { batch: 32, age: 50ms, threads: 0 = all cores, library: "" } */
	uint64_t batch_age_ms;
	uint32_t infer_threads;
	char *onnxruntime;       /* path or NULL */
	uint32_t fetch_threads;  /* 0: by cores */
	struct import_config import;
	char **networks;         /* that URLs of manifests may reach beside public addresses; NULL-terminated */
	uint32_t decode_workers; /* 0: cores */
};

/* The file that a program reads: the given one; else $INLET_CONFIG; else ./inlet.yaml where anything of that name lies, readable or not;
 * else /etc/inlet/inlet.yaml. *ret is borrowed from the argument or the environment. ERR_REJECT, with the cure: none was given, and there
 * is none. */
int config_find(const char *given, const char **ret, struct err *err);
/* Errors read "config/x.yaml:12:7: sources[0].folder.setle: unknown key; did you mean 'settle'?" (ERR_REJECT; ERR_RETRY when
 * the file cannot be read). Also refused: two sources of one name, state_dir inside a watched folder or a watched folder
 * inside state_dir (resolved paths), a folder or bucket listed twice, a missing card, a secret, a name that no bucket has, what is no
 * host, proxy or network. Unset options get their defaults. */
int config_load(const char *path, struct config **ret, struct err *err);
/* As config_load(), and the files that sources name must be there and readable by this user: ca_file with certificates in PEM
 * form, credentials. For people who check a change: a daemon starts all the same, with that one source offline. */
int config_check(const char *path, struct config **ret, struct err *err);
void config_free(struct config *c);
CLEANUP_FN(struct config *, config_free)
void config_help(FILE *to);   /* every option with type, unit, range, default and help: "inletd --help-config" */

#endif
