/* carrier.h - what it means for an item that objects begin and cease to carry it.
 *
 * A quarantined item's failure asks somebody to act on a file. When the last file that carries it has been replaced or
 * removed, that has happened: the failure goes. When such content comes back, it is tried again, and fails again if it must.
 * All return 0, or -1 with the transaction failed. */
#ifndef INLET_STORE_CARRIER_H
#define INLET_STORE_CARRIER_H

#include "daemon/store/kv.h"

#include <stdint.h>

int carrier_gained(struct kv_txn *txn, uint64_t item);
int carrier_lost(struct kv_txn *txn, uint64_t item); /* one of them: there may be others. Also fine when none was */

#endif
