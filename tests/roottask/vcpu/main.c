/* The cases in their order. */
#include "machine.h"

void test_main(void)
{
	bare_print("vcpu: start\n");
	machine_make();
	case_exits();
	case_events();
	case_cpus();
	case_frames();
	case_hostile();
	case_objects();
}
