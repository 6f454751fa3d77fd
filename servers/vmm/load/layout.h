/* Where things lie in a domain's guest-physical space (as libxl's PVH domains have it). */
#ifndef LOAD_LAYOUT_H
#define LOAD_LAYOUT_H

#define LAYOUT_ACPI_GPA     0xfc000000ull
#define LAYOUT_ACPI_PAGES   2u
#define LAYOUT_SPECIAL_GPA  0xfeff8000ull /* special pages: reserved in the memory map */
#define LAYOUT_SPECIAL_PAGES 8u
#define LAYOUT_CONSOLE_GPA  (LAYOUT_SPECIAL_GPA + 4 * 4096ull)
#define LAYOUT_STORE_GPA    (LAYOUT_SPECIAL_GPA + 5 * 4096ull)
#define LAYOUT_IDENT_GPA    (LAYOUT_SPECIAL_GPA + 6 * 4096ull)

#endif
