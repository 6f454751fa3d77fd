// The generated accessors of page-table entries and machine-check registers, all of them. Contracts: hw/fields.py --acsl.
#include "arch/x86/mm/pte_fields.h"
#include "arch/x86/mce_fields.h"
