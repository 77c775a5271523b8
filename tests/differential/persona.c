#include "persona.h"

#include <grp.h>
#include <unistd.h>

typedef struct Persona {
  uid_t uid;
  gid_t gid;
  gid_t group;  // a supplementary group, 0 for none
} Persona;

// The uids and gids that IPC_SET gives to objects are among these: see draw_set().
static const Persona kPersonas[] = {
    {0, 0, 0}, {1, 1, 0}, {2, 2, 0}, {2, 1, 0}, {65534, 65534, 1}, {65534, 65534, 0},
};
enum { kPersonaCount = sizeof(kPersonas) / sizeof(kPersonas[0]) };

int persona_draw(Rng* rng) { return (int)rng_below(rng, kPersonaCount); }

bool persona_put_on(int persona) {
  const Persona* p = &kPersonas[persona];
  // The uid last: without root's the groups cannot be set.
  return setgroups(p->group != 0, &p->group) == 0 && setegid(p->gid) == 0 && seteuid(p->uid) == 0;
}

bool persona_put_off(void) { return seteuid(0) == 0 && setegid(0) == 0 && setgroups(0, NULL) == 0; }

void text_add_persona(Text* text, int persona) {
  const Persona* p = &kPersonas[persona];
  if (persona == 0) return;
  text_add(text, " as %u:%u", (unsigned)p->uid, (unsigned)p->gid);
  if (p->group != 0) text_add(text, "+%u", (unsigned)p->group);
}
