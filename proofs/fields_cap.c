// The generated accessors of capability words and derivation links, all of them. Contracts: hw/fields.py --acsl.
#include "cap/cap_fields.h"
