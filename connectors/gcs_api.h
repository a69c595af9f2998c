/* gcs_api.h - Google Cloud Storage's JSON API as one bucket speaks it: where it is, who asks, and what a refusal means.
 *
 * Where: gcs.endpoint; else STORAGE_EMULATOR_HOST ("host:port" or a URL), asked without credentials unless a file is configured;
 * else https://storage.googleapis.com. Only that host and port may be reached. */
#ifndef INLET_CONNECTORS_GCS_API_H
#define INLET_CONNECTORS_GCS_API_H

#include "config/config.h"
#include "connectors/google_auth.h"
#include "daemon/net/http.h"

struct gcs_api;

/* config and stopping (true: running calls return soon) are borrowed. Touches no network and no credentials file. ERR_REJECT: the
 * endpoint is no URL. */
int gcs_api_new(const struct gcs_config *config, const atomic_bool *stopping, struct gcs_api **ret, struct err *err);
void gcs_api_free(struct gcs_api *a);                       /* NULL allowed; no call may be running */

/* URLs, appended to `to`. A query goes on with gcs_query(). */
void gcs_url_list(const struct gcs_api *a, struct buf *to);                       /* of the bucket's objects */
void gcs_url_media(const struct gcs_api *a, struct slice key, struct buf *to);    /* of one object's bytes */
void gcs_query(struct buf *url, const char *name, struct slice value);            /* "&name=value"; any bytes */

/* One authorized GET; a token that the server refuses is fetched anew once. 0: an answer of 2xx came and was whole. -1 with what a
 * refusal means here: 404 ERR_RETRY ENOENT; 412 ERR_RETRY FETCH_CHANGED; 401 and 403 ERR_RETRY EACCES with the cure; 5xx ERR_RETRY
 * FETCH_TROUBLE; no token or an untrusted certificate ERR_RETRY; the rest as http_refused() and http_send() say, in the server's words. q->headers at most GCS_HEADERS. ret needs
 * http_reply_done(). Any thread. */
#define GCS_HEADERS 4
int gcs_api_get(struct gcs_api *a, const struct http_request *q, struct http_reply *ret, struct err *err);

/* Sleeps before another attempt: the server's wish (err->wait_ms), else full jitter. False: stopping, or the server wants more than
 * a minute: give up. */
bool gcs_pause(const struct gcs_api *a, uint32_t attempts, const struct err *why);

struct google_auth *gcs_api_auth(struct gcs_api *a);        /* NULL: requests carry no credentials */
const char *gcs_api_base(const struct gcs_api *a);          /* "https://storage.googleapis.com" */
bool gcs_api_emulated(const struct gcs_api *a);             /* STORAGE_EMULATOR_HOST says where */

#endif
