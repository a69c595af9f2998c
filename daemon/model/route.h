/* route.h - routing: which status a confidence gets under the configured bands. Pure. */
#ifndef INLET_MODEL_ROUTE_H
#define INLET_MODEL_ROUTE_H

#include "config/band.h"
#include "daemon/model/state.h"

enum annotation_status route_status(const struct bands *b, struct slice concept, float confidence); /* STATUS_NONE: discard */

#endif
