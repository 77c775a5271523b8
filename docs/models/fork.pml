/*
 * fork(2) of a process that has a segment attached, which is marked for removal: the child is
 * counted before there is one (core/ipc/shm_fork.cc), and a looker detaches whoever is over
 * (core/ipc/holds.cc: find_over(), is_gone(), is_unborn_gone(); core/ipc/shm_attach.cc).
 *
 * The parent makes a record without a pid, whose witness it is, forks or fails to, names the child
 * and takes its own name out. The child becomes a task, names itself, and is its own witness; then it
 * uses the memory, and detaches. Lookers come by at any time, the reaper of the parent's slot once
 * the parent is dead. Parent and child may die before any of their steps.
 *
 * lock.pml proves lock, journal and recovery: here a transaction is one step, and a lock is had when
 * it is free or its owner is dead. What a looker asks the kernel is a step of its own.
 *
 * Proved for every interleaving:
 *   - the segment is not removed while a living process has it mapped
 *   - at the end, with all of them gone, one more look removes it
 *
 * Seeded bugs, each of which spin must find:
 *   BUG_LATE      the child is counted after the fork, by the parent
 *   BUG_GUESS     a record without a pid is over when its maker is dead
 *   BUG_TASK      a child that has become a task is no stranger, though it has not taken over yet
 *   BUG_OPEN      a looker asks about strangers without the segment's lock
 *   BUG_KEEP      the reaper lets the dead parent be the record's witness
 */

#ifndef LOOKS
#define LOOKS 2
#endif

mtype = { None, Running, Tasked, Joined, Dead };

mtype parent = Joined, child = None;
bool parent_maps = true, child_maps;
bool is_parent_reaped;

/* ---- the cell */
byte own = 1;              /* the parent's amount */
bool has_heir, is_named, has_maker;
byte heir;                 /* the heir's amount */
byte witness;              /* 0: none, 1: the parent's slot, 2: the child's */
bool unborn;               /* TaskRec::unborn */
bool is_removed;
bool slot_is_strangers;    /* the parent's slot was freed, and is a living task's now */

byte segment_owner, table_owner;  /* 0; 1 the parent, 2 the child, 3 and on the lookers */
#define IS_DEAD(who) ((who == 1 && parent == Dead) || (who == 2 && child == Dead))
#define CAN_LOCK(owner) (owner == 0 || IS_DEAD(owner))

#define IS_ALIVE(process) (process != None && process != Dead)
#ifdef BUG_TASK
#define IS_STRANGER(process) (process == Running)
#else
#define IS_STRANGER(process) (process == Running || process == Tasked)
#endif

/* The memory of the dead is gone with them. */
inline die(process, maps) { atomic { process = Dead; maps = false } }

#define PARENT_MAY_DIE if :: true -> skip :: true -> die(parent, parent_maps); goto over fi
#define CHILD_MAY_DIE  if :: true -> skip :: true -> die(child, child_maps); goto over fi

/* With its transaction: nobody is attached any more. */
inline remove_if_doomed() {
  if
  :: own + heir == 0 -> is_removed = true
  :: else -> skip
  fi;
  assert(!is_removed || !((parent_maps && IS_ALIVE(parent)) || (child_maps && IS_ALIVE(child))))
}

proctype Child() {
  CHILD_MAY_DIE;
  child = Tasked;
  CHILD_MAY_DIE;
  /* take_heirship() */
  atomic { CAN_LOCK(table_owner) -> table_owner = 2 };
  CHILD_MAY_DIE;
  if
  :: has_heir -> atomic { is_named = true; has_maker = false };
     CHILD_MAY_DIE;
     atomic { CAN_LOCK(segment_owner) -> segment_owner = 2 };
     CHILD_MAY_DIE;
     witness = 2;
     CHILD_MAY_DIE;
     segment_owner = 0
  :: else -> skip
  fi;
  CHILD_MAY_DIE;
  table_owner = 0;
  CHILD_MAY_DIE;
  child = Joined;
  /* It uses what it has. */
  CHILD_MAY_DIE;
  assert(!is_removed);
  /* shmdt() */
  child_maps = false;
  CHILD_MAY_DIE;
  atomic { CAN_LOCK(segment_owner) -> segment_owner = 2 };
  CHILD_MAY_DIE;
  atomic { heir = 0; remove_if_doomed() };
  CHILD_MAY_DIE;
  segment_owner = 0;
  die(child, child_maps);
over: skip
}

proctype Parent() {
  PARENT_MAY_DIE;
#ifndef BUG_LATE
  atomic { CAN_LOCK(table_owner) -> table_owner = 1 };
  PARENT_MAY_DIE;
  atomic { has_heir = true; has_maker = true; unborn = true };
  PARENT_MAY_DIE;
  atomic { CAN_LOCK(segment_owner) -> segment_owner = 1 };
  PARENT_MAY_DIE;
  atomic { heir = 1; witness = 1 };
  PARENT_MAY_DIE;
  segment_owner = 0;
  table_owner = 0;
  PARENT_MAY_DIE;
#endif
  if
  :: atomic { child = Running; child_maps = true; run Child() };
#ifdef BUG_LATE
     PARENT_MAY_DIE;
     if
     :: child != Dead -> atomic { has_heir = true; heir = 1; witness = 1; unborn = true }
     :: else -> skip
     fi;
#endif
     PARENT_MAY_DIE;
     atomic { CAN_LOCK(table_owner) -> table_owner = 1 };
     PARENT_MAY_DIE;
     atomic { is_named = true; has_maker = false };
     PARENT_MAY_DIE;
     table_owner = 0;
     PARENT_MAY_DIE;
     atomic { CAN_LOCK(segment_owner) -> segment_owner = 1 };
     PARENT_MAY_DIE;
     if :: witness == 1 -> witness = 0 :: else -> skip fi;
     PARENT_MAY_DIE;
     segment_owner = 0
  :: /* it fails */
     atomic { CAN_LOCK(segment_owner) -> segment_owner = 1 };
     PARENT_MAY_DIE;
     atomic { heir = 0; has_heir = false };
     segment_owner = 0
  fi;
  PARENT_MAY_DIE;
  unborn = false;
  PARENT_MAY_DIE;
  /* shmdt() */
  parent_maps = false;
  PARENT_MAY_DIE;
  atomic { CAN_LOCK(segment_owner) -> segment_owner = 1 };
  PARENT_MAY_DIE;
  atomic { own = 0; remove_if_doomed() };
  segment_owner = 0;
  die(parent, parent_maps);
over: skip
}

/* The reaper of the parent's slot. */
proctype Reaper() {
  parent == Dead;
  if
  :: unborn ->
#ifndef BUG_KEEP
     atomic { CAN_LOCK(table_owner) -> table_owner = 3 };
     atomic { CAN_LOCK(segment_owner) -> segment_owner = 3 };
     if :: witness == 1 -> witness = 0 :: else -> skip fi;
     segment_owner = 0;
     table_owner = 0;
#endif
     atomic { has_maker = false; unborn = false }
  :: else -> skip
  fi;
  slot_is_strangers = true;
  is_parent_reaped = true
}

#define LIVES(slot) ((slot == 1 && (IS_ALIVE(parent) || slot_is_strangers)) || \
                     (slot == 2 && IS_ALIVE(child)))

inline look(me) {
  atomic { CAN_LOCK(segment_owner) -> segment_owner = me };
  if
  :: own != 0 && !IS_ALIVE(parent) -> atomic { own = 0; remove_if_doomed() }
  :: else -> skip
  fi;
  if
  :: heir == 0 || LIVES(witness) -> skip
  :: else ->
#ifdef BUG_OPEN
     segment_owner = 0;
#endif
     if
     :: is_named -> is_over = !IS_ALIVE(child)
     :: else ->
        /* The maker first, then the others: what a living maker may still fork is no stranger yet. */
        if
        :: has_maker && IS_ALIVE(parent) -> is_over = false
        :: else ->
#ifdef BUG_GUESS
           is_over = true
#else
           is_over = !IS_STRANGER(child)
#endif
        fi
     fi;
#ifdef BUG_OPEN
     atomic { CAN_LOCK(segment_owner) -> segment_owner = me };
#endif
     if
     :: is_over -> atomic { heir = 0; remove_if_doomed() }
     :: else -> skip
     fi
  fi;
  segment_owner = 0
}

proctype Looker(byte me) {
  byte looks;
  bool is_over;
  do
  :: looks < LOOKS -> look(me); looks++
  :: break
  od
}

init {
  bool is_over;
  atomic { run Parent(); run Reaper(); run Looker(4); run Looker(5) };
  /* All have ended: nothing may keep the segment. */
  _nr_pr == 1;
  look(6);
  assert(is_removed)
}
