/* One capability of every kind, for the cases that go over all of them. */
#ifndef SPECIMEN_H
#define SPECIMEN_H

#include "roottask/conformance/conformance.h"

struct specimen {
	const char *name;
	seL4_CPtr cap;
	seL4_Word type;	       /* DebugCapIdentify's number */
	seL4_Word first, last; /* its labels, without gaps; first > last: none */
	seL4_Word more[4];     /* and others */
};

/* A fresh set: nobody else uses these objects. Ends with a name of 0. */
const struct specimen *specimen_all(void);

#endif
