/*
 * The boot modules and the servers' archive: where they lie, which of them is the root task, what of them goes to it. Boot, once, under
 * the identity mapping of the low 4 GiB.
 */
#ifndef BOOT_BOOT_MODULES_H
#define BOOT_BOOT_MODULES_H

#include "boot/boot_memory.h"
#include "boot/boot_task.h"

struct boot_modules {
	const uint8_t *root; /* the root task's ELF file */
	uint64_t root_bytes;
	bool own;            /* it is the file `root` of the archive */
	/* What the root task is given: the archive first. */
	struct boot_task_module list[BOOT_INFO_MODULES + 1];
	uint32_t count;
	/* Memory of a root task that came as a module. */
	uint64_t release_start, release_end;
};

#define BOOT_MODULES_ARCHIVE_STRING "name=insula-servers"

/*
 * The memory of image, archive and modules is reserved before anything is allocated. boot_stop with one line where modules
 * overlap, lie outside RAM, or there is none.
 */
void boot_modules_reserve(struct boot_memory *m, const struct boot_info *info, uint64_t load_base);

/* Fills *out; the rest of each module's last page becomes zero. */
void boot_modules_find(struct boot_modules *out, struct boot_memory *m, const struct boot_info *info, uint64_t load_base);

#endif
