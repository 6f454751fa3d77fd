/* What a CPU's area keeps of machine checks until it is printed (mce.h): written by the exception, read when
 * the kernel is in order. */
#ifndef ARCH_X86_MCE_RECORD_H
#define ARCH_X86_MCE_RECORD_H

#include "types.h"

struct mce_record {
	uint64_t status, address, misc, mcg_status;
	uint8_t bank;
	uint8_t severity; /* enum mce_severity */
	uint8_t where;	  /* enum mce_context */
	bool old;	  /* from before the start */
};

enum { MCE_RECORDS = 8 };

/* From records[told % MCE_RECORDS] up to noted; the exception moves `noted`, the report `told`. */
struct mce_log {
	struct mce_record records[MCE_RECORDS];
	uint32_t noted, told;
	uint32_t lost;
	uint32_t banks;
	ticks_t next_poll;
};

#endif
