/* server.h - the HTTP API under /api/v1 on the Unix socket state_dir/inlet.sock (libmicrohttpd). Peer credentials:
 * root, the daemon's own user and group may speak; others get 403. Everything that reads or changes the dataset goes
 * through here.
 *
 *   GET  /api/v1/status                      the status object
 *   GET  /api/v1/items?state=&status=&concept=&source=&after=&limit=&full=   JSON lines (application/jsonl), id order
 *   GET  /api/v1/items/ID                    one item with history, runs, facts, failure; ETag
 *   GET  /api/v1/items/ID/content[?form=thumbnail|canonical]  bytes; always nosniff, CSP sandbox, attachment
 *   POST /api/v1/items/ID/{accept,reject,label}   {"concept":"…"} by the peer's user name
 *   GET  /api/v1/failures?after=ID&limit=&import=N&format=json|csv   JSON lines, or a manifest of the rows that failed
 *   POST /api/v1/retry {"id":"o12"} | {"all":true};  /relabel;  /sync {"source":"…","accept_gone":false,"rebind":false}
 *   POST /api/v1/import {"name":"…","file":"…","format":"…","header":"…","attributes":"…"}   begins a pass over a manifest that a
 *        client reads; {"into":"…"}: over mended rows of an import
 *   POST /api/v1/import/PASS/rows            rows and their bytes, streamed (daemon/imports/import.h)
 *   POST /api/v1/import/PASS/settle          returns when all that came so far is durable
 *   POST /api/v1/import/PASS/end {"rows":12,"failed":1,"attributes":"…","wait":true}
 *   POST /api/v1/pause {"source":"…"}, /resume; without a source: all of them
 *   POST /api/v1/wait {"timeout_ms":…}       returns when nothing is due
 *   GET  /api/v1/export?format=&by=item|reference|row&review=true&attribute=&files=true   the file, streamed (daemon/export/export.h)
 *   POST /api/v1/verify {"slice":0,"slices":1}   JSON lines: problems, then the report
 *   GET  /api/v1/doctor                      JSON lines
 *   GET  /livez /readyz /metrics
 * retry, relabel, sync and import's end return when the work they caused is done or has failed three times, unless the body has
 * "wait":false. Lists stream all there is; limit (1..10,000) ends one early, and after= the last id goes on. Errors are
 * application/problem+json: type, title, status, detail (the cure with it). */
#ifndef INLET_API_SERVER_H
#define INLET_API_SERVER_H

#include "daemon/stages/pipeline.h"

struct server;
/* socket_dir: an open state_dir; the socket is bound through it, so that its path may be longer than sun_path. mode
 * 0660. */
int server_start(struct pipeline *p, int socket_dir, struct server **ret, struct err *err);
/* Call pipeline_stop() first: it ends the waits that requests are in. No new requests; running ones get three seconds.
 * 0: all ended, s is gone. -1: one still runs (a long verify, a commit on a stuck disk): the caller must neither close
 * the pipeline nor the store but end the process, which is as safe as a crash. NULL allowed. */
int server_stop(struct server *s);

#endif
