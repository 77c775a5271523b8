// As whom a call is made. Persona 0 is the user who runs the test; the others take an unprivileged
// effective uid, gid and one supplementary group for one call, and then go back.

#ifndef DIFFERENTIAL_PERSONA_H
#define DIFFERENTIAL_PERSONA_H

#include <stdbool.h>

#include "rng.h"
#include "text.h"

// Any of them, persona 0 included.
int persona_draw(Rng* rng);
// Both false when the kernel refuses, errno set.
bool persona_put_on(int persona);
bool persona_put_off(void);
void text_add_persona(Text* text, int persona);

#endif
