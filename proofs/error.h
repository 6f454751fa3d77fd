/*
 * What is assumed of functions outside the proved units: the error functions only write the per-CPU error words
 * (here: error_detail) and return what they say.
 */
#ifndef PROOFS_ERROR_H
#define PROOFS_ERROR_H

#include "api/error.h"
#include "cap/cte.h"

/*@ ghost int error_detail; */
/*@ axiomatic slots { predicate childless{L}(struct cte *slot) reads \nothing; } */

/*@ assigns error_detail; ensures \result == EXC_SYSCALL_ERROR; */
exception_t error_illegal_operation(void);
/*@ assigns error_detail; ensures \result == EXC_SYSCALL_ERROR; */
exception_t error_delete_first(void);
/*@ assigns error_detail; ensures \result == EXC_SYSCALL_ERROR; */
exception_t error_revoke_first(void);
/*@ assigns error_detail; ensures \result == EXC_SYSCALL_ERROR; */
exception_t error_range(word_t min, word_t max);
/*@ assigns error_detail; ensures \result == EXC_SYSCALL_ERROR; */
exception_t error_failed_lookup(bool source);
/*@ assigns error_detail; ensures \result == EXC_LOOKUP_FAULT; */
exception_t error_lookup(enum sel4_lookup_failure type, unsigned bits_left);
/*@ assigns error_detail;
	ensures \result == EXC_NONE || \result == EXC_SYSCALL_ERROR;
	ensures \result == EXC_NONE <==> childless(slot); */
exception_t cte_ensure_no_children(const struct cte *slot);

#endif
