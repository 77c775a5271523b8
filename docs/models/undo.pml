/*
 * SEM_UNDO: whoever looks at a set makes the adjustments of a dead process, and the reaper frees its
 * record (core/ipc/undo.cc: bury_dead(), bury(); core/ipc/holds.cc: reap_holds(), replace_witness(),
 * join_process()).
 *
 * A process has taken one unit each of two semaphores. It has a thread with a task, which is the
 * record's witness; another thread may get a task later, and a third never makes a call, but keeps
 * the process alive. They end in any order, and may give a unit back before. Two lookers come by at
 * any time: they lock the set, bury what is dead, look at the values, and reap the tasks that they
 * find dead. A looker may die before any of its steps. A slot that was freed may be claimed by another
 * process. At the end a third looks once, and must find everything done.
 *
 * lock.pml proves lock, journal and recovery: here a transaction is one step, and a lock can be had
 * when it is free or its owner is dead.
 *
 * Proved for every interleaving:
 *   - whoever looks when the process is gone sees all of it undone, exactly once
 *   - nothing is undone while the process lives
 *   - a pass over the sleepers never sees half of the adjustments
 *   - no slot that is named as a witness is freed, and so none is another process's
 *   - after a last look no record and no slot of the dead is left
 *
 * Seeded bugs, each of which spin must find:
 *   BUG_TOKEN     a process counts as gone when its witness is dead
 *   BUG_WITNESS   the reaper frees a slot without a visit to the record
 *   BUG_BURYING   a burial that was broken off is marked like a pass that was
 *   BUG_TWICE     an adjustment is added in one transaction and cleared in the next
 *   BUG_FORGET    who buries does not free what is left to nobody
 */

#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef LOOKS
#define LOOKS 2
#endif

#define LOOKERS 3   /* looker 3 is the last one, and does not die */

mtype = { Free, Alive, Dead, Stranger };

/* ---- the process */
mtype slot[3];        /* 1: its first task; 2: the one that it may get later. 0 is none */
bool has_other;       /* the thread that makes no call lives */
#define IS_GONE (slot[1] != Alive && slot[2] != Alive && !has_other)

/* ---- the set and the record */
byte value[2];        /* 0: the process has the unit */
bool adjustment[2];
bool is_live = true;  /* the record is in its lists */
bool is_spent, is_burying, is_unsettled;
byte witness = 1;

byte set_owner, reap_owner;  /* 0, or a looker; LOOKERS + 1 is the process itself */
bool is_dead[LOOKERS + 2];
byte deaths;
bool is_over[LOOKERS + 1];

#define CAN_LOCK(owner) (owner == 0 || is_dead[owner])
/* A death, where one may be: what the looker holds stays held. */
#define MAY_DIE if :: deaths < DEATHS && id < LOOKERS -> \
    atomic { deaths++; is_dead[id] = true; goto died } :: true fi

/* The kernel's word about a thread: the witness's token. */
#define HAS_WITNESS (witness != 0 && slot[witness] != Dead && slot[witness] != Free)

inline make_pass() {
  /* Sleepers would go on with what they see. */
  assert(is_spent || adjustment[0] == adjustment[1] || has_given);
  is_unsettled = false
}

bool has_given;  /* the process gave a unit back: then the two differ */

/* With the set locked. */
inline bury() {
#ifdef BUG_BURYING
  is_unsettled = true;
#else
  is_burying = true;
#endif
  MAY_DIE;
#ifdef BUG_TWICE
  if :: adjustment[0] -> value[0]++ :: else fi;
  MAY_DIE;
  adjustment[0] = false;
#else
  atomic { if :: adjustment[0] -> value[0]++; adjustment[0] = false :: else fi };
#endif
  MAY_DIE;
  atomic { if :: adjustment[1] -> value[1]++; adjustment[1] = false :: else fi };
  MAY_DIE;
  atomic { is_spent = true; is_burying = false; is_unsettled = true };
  MAY_DIE
}

/* LockedSet: everything undone that the dead had to undo. `was_gone` is what the looker knew before
   it had the lock. */
inline lock_set() {
  atomic { CAN_LOCK(set_owner) -> set_owner = id };
  MAY_DIE;
  if
#ifndef BUG_BURYING
  :: is_live && is_burying -> bury()
#endif
  :: else
  fi;
  if :: is_unsettled -> make_pass(); MAY_DIE :: else fi;
  if
  :: is_live && !is_spent && !HAS_WITNESS ->
#ifdef BUG_TOKEN
     bury(); make_pass()
#else
     if :: IS_GONE -> bury(); has_buried = true; MAY_DIE; make_pass() :: else fi
#endif
  :: else
  fi;
  MAY_DIE
}

inline unlock_set() {
  set_owner = 0
}

/* Takes the record out of its lists, with the reap lock held. */
inline free_record() {
  lock_set();
  if :: is_live && !is_spent -> bury(); make_pass() :: else fi;
  is_live = false;
  witness = 0;
  MAY_DIE;
  unlock_set()
}

/* reap_holds(), and the slot's end. */
inline reap(s, other) {
  atomic { CAN_LOCK(reap_owner) -> reap_owner = id };
  MAY_DIE;
  if
  :: slot[s] == Dead ->
#ifndef BUG_WITNESS
     if
     :: is_live && slot[other] != Alive && IS_GONE -> free_record()
     :: is_live && !(slot[other] != Alive && IS_GONE) ->
        lock_set();
        if
        :: witness == s && slot[other] == Alive -> witness = other
        :: witness == s && slot[other] != Alive -> witness = 0
        :: else
        fi;
        MAY_DIE;
        unlock_set()
     :: else
     fi;
#endif
     MAY_DIE;
     atomic { assert(!is_live || witness != s); slot[s] = Free }
  :: else
  fi;
  MAY_DIE;
  reap_owner = 0
}

/* find_forgotten(): no slot of the process is left that a reaper could meet. */
inline free_as_neighbour() {
  atomic { CAN_LOCK(reap_owner) -> reap_owner = id };
  MAY_DIE;
  if :: is_live && IS_GONE -> free_record() :: else fi;
  reap_owner = 0
}

/* reap_buried() */
inline free_forgotten() {
#ifdef BUG_FORGET
  has_buried = false;
#endif
  if :: has_buried -> free_as_neighbour() :: else fi
}

inline look() {
  was_gone = IS_GONE;
  has_buried = false;
  lock_set();
  assert(!was_gone || (value[0] == 1 && value[1] == 1));
  assert(value[0] <= 1 && value[1] <= 1);
  assert(IS_GONE || value[1] == 0);
  MAY_DIE;
  unlock_set();
  MAY_DIE;
  if :: slot[1] == Dead -> reap(1, 2) :: else fi;
  if :: slot[2] == Dead -> reap(2, 1) :: else fi;
  free_forgotten()
}

proctype looker(byte id) {
  bool was_gone, has_buried;
  byte looks;
  do
  :: looks < LOOKS -> looks++; look()
  :: looks == LOOKS -> break
  od;
  atomic { is_over[id] = true; goto end };
died:
  is_over[id] = true;
end:
  skip
}

/* The last to look, when all the others are done and the process is gone. */
proctype last_looker(byte id) {
  bool was_gone, has_buried;
  (is_over[1] && is_over[2] && IS_GONE);
  look();
  /* Who buried may have died before it freed: then whoever reaps another of the bucket does. */
  assert(!is_live || deaths > 0);
  free_as_neighbour();
  assert(!is_live);
  assert(slot[1] != Dead && slot[2] != Dead);
  goto end;
died:
  assert(false);
end:
  skip
}

proctype process() {
  byte id = LOOKERS + 1;
  /* Gives a unit back, or not, while its first thread lives. */
  if
  :: atomic { set_owner == 0 && slot[1] == Alive -> value[0]++; adjustment[0] = false; has_given = true }
  :: true
  fi;
  do
  :: atomic { slot[1] == Alive -> slot[1] = Dead }
  :: atomic { slot[2] == Alive -> slot[2] = Dead }
  :: atomic { has_other -> has_other = false }
  /* Another of its threads claims a slot, and joins: what has no living witness gets one. */
  :: atomic { slot[2] == Free && has_other && CAN_LOCK(set_owner) && !is_burying && !is_unsettled ->
       slot[2] = Alive;
       if :: is_live && !HAS_WITNESS -> witness = 2 :: else fi }
  :: IS_GONE -> break
  od
}

/* A task of another process, in a slot that was freed. */
proctype stranger() {
  do
  :: atomic { slot[1] == Free -> slot[1] = Stranger }
  :: atomic { slot[1] == Stranger -> slot[1] = Free }
  :: is_over[1] && is_over[2] && slot[1] != Stranger -> break
  od
}

init {
  atomic {
    slot[1] = Alive;
    slot[2] = Free;
    has_other = true;
    adjustment[0] = true;
    adjustment[1] = true;
    run process();
    run looker(1);
    run looker(2);
    run last_looker(3);
    run stranger()
  }
}
