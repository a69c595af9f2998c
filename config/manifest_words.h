/* manifest_words.h - the words that configuration and command line have for manifests: formats, inputs, roles of columns.
 * daemon/manifest/manifest.h says what they mean to the reader. */
#ifndef INLET_CONFIG_MANIFEST_WORDS_H
#define INLET_CONFIG_MANIFEST_WORDS_H

enum manifest_format {
	MANIFEST_AUTO,
	MANIFEST_CSV,           /* a header, columns by mapping or by usual names; delimiter , ; or tab */
	MANIFEST_JSONL,         /* objects with members by the same mapping; lines or one array */
	MANIFEST_CLARIFAI,      /* inputid,input,concepts,metadata,geopoints */
	MANIFEST_LABEL_STUDIO,  /* tasks: lines, one array, or one task */
	MANIFEST_GROUND_TRUTH,  /* source-ref | source */
	MANIFEST_VERTEX,
	MANIFEST_AUTOML,
	MANIFEST_CVAT,
	MANIFEST_HUGGING_FACE,  /* metadata.csv | metadata.jsonl */
	MANIFEST_COCO,
	MANIFEST_YOLO,          /* data.yaml; needs the folder around it */
	MANIFEST_OPENAI,        /* batch lines with custom_id */
	MANIFEST_URLS,          /* one URL or path a line */
	MANIFEST_SIDECAR,       /* NAME.json: labels and metadata of the file NAME; never recognised, only asked for */
	MANIFEST_FORMATS
};
extern const char *const manifest_format_words[MANIFEST_FORMATS + 1]; /* "auto", "csv", ...; NULL-terminated */

/* What values of a Clarifai `input` column (and a plain `input` column) are. AUTO: a known scheme or a leading "/",
 * "./" or "../" makes a reference, everything else is text. */
enum manifest_input { INPUT_AUTO, INPUT_URL, INPUT_FILE_PATH, INPUT_RAW, INPUTS };
extern const char *const manifest_input_words[INPUTS + 1];

/* Plain CSV and JSONL: which column says what. */
enum manifest_role {
	ROLE_ID, ROLE_INPUT, ROLE_URL, ROLE_PATH, ROLE_TEXT, /* INPUT: any of the three, as manifest_input says */
	ROLE_LABEL,      /* the cell is one concept */
	ROLE_LABELS,     /* several: JSON array, or separated by ',', ';' or '|' */
	ROLE_CONFIDENCE, ROLE_STATUS, ROLE_MAKER, ROLE_SPLIT, ROLE_METADATA, ROLE_MEDIA, ROLE_SIZE, ROLE_CHECKSUM,
	ROLE_WIDTH, ROLE_HEIGHT, /* of the image */
	/* Box corners: pixels, or fractions where all are <= 1 and one is not whole. */
	ROLE_XMIN, ROLE_YMIN, ROLE_XMAX, ROLE_YMAX,
	MANIFEST_ROLES
};

#endif
