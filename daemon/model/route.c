/* route.c - from a confidence to a status. */
#include "daemon/model/route.h"

enum annotation_status route_status(const struct bands *b, struct slice concept, float confidence)
{
	const struct band *band = bands_find(b, concept);
	if (confidence >= band->accept)
		return STATUS_SUCCESS;
	return confidence >= band->review ? STATUS_AWAITING_REVIEW : STATUS_NONE;
}
