/*
 * The one-word lock, its journal and their recovery (core/cell/lock.cc, journal.cc, task_table.cc).
 *
 * Three threads, each in a task slot, run operations: an operation changes two words under one lock,
 * through its journal. A thread may die before any of its steps, in an operation as in a recovery, a
 * reaping or a claim. It comes back as a new thread and claims a slot, maybe the one that it died
 * with: slots are reused.
 *
 * A step is one access to shared memory. A sleep is a wait for what the sleeper looks at: the 50 ms
 * recheck makes every sleep that, so a waiter whose condition can never come true is an invalid end
 * state, which spin reports.
 *
 * Proved for every interleaving:
 *   - one live thread at a time is between lock and unlock                          (in_section)
 *   - whoever gets the lock finds each earlier operation whole or absent            (data, done)
 *   - a recoverer never touches the journal, the intents or the locks of a living task, and there is
 *     one recoverer at a time                                                       (recoverers)
 *   - a slot that is claimed is clean
 *   - nobody waits for ever
 *
 * Seeded bugs, each of which spin must find:
 *   BUG_FREE     a reaper frees the slot without the recovery lock
 *   BUG_STEAL    the recovery lock's word has no turn: taking it from the dead suffers from ABA
 *   BUG_JOURNAL  the journal counts an entry after the store that the entry is for
 *   BUG_ORDER    recovery releases the lock before it rolls the journal back
 *   BUG_INTENT   the intent is written after the lock was taken
 */

#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef OPERATIONS
#define OPERATIONS 2
#endif
#ifndef REAPS
#define REAPS 2
#endif

#define THREADS 3
#define SLOTS 5 /* slot 0 is none; one more than threads: a slot's corpse may lie while its thread is back */

mtype = { Free, Claiming, Live };

/* ---- the cell */
mtype state[SLOTS];
bool token_dead[SLOTS];          /* true as well in a slot that is being claimed: a token of zeros */
byte word[2];                    /* lock words: owner's slot */
#define OBJECT 0
#define REAP   1
byte recovery;                   /* the recovery lock's owner */

typedef TaskRec {
  byte intent;                   /* lock + 1; the model takes one lock at a time */
  byte journal_count;
  bit old[2];                    /* entry n is for data[n] */
}
TaskRec rec[SLOTS];
bit data[2];                     /* an operation flips both */

/* ---- not in the cell: what the proof knows */
bool claimer_gone[SLOTS];        /* kill(2) says that the claiming thread is gone */
bool unchanged[SLOTS];           /* the recovery word is as this slot's thread read it, turn included */
byte deaths, operations, reaps;
byte in_section;                 /* live threads that hold OBJECT */
byte recoverers;                 /* live threads that hold the recovery lock */
bit done;                        /* flips with each commit */

/* Everything a thread does is a step; it may die instead of any. */
#define STEP(statement) atomic { if :: statement :: deaths < DEATHS -> goto died fi }

/* ------------------------------------------------------------------ recovery */

/* is_dead(): two reads. `look` is the answer. */
inline read_is_dead(slot) {
  STEP(look = (state[slot] == Live));
  if
  :: look -> STEP(look = token_dead[slot])
  :: else
  fi
}

#define recovery_written() \
  unchanged[1] = false; unchanged[2] = false; unchanged[3] = false; unchanged[4] = false

inline lock_recovery() {
  do
  :: STEP(seen = recovery; unchanged[me] = true);
     look = true;
     if
     :: seen != 0 -> read_is_dead(seen)
     :: else
     fi;
     if
     :: look ->
        /* Free, or its owner is dead: compare and exchange. */
        STEP(if
#ifdef BUG_STEAL
             :: recovery == seen ->
#else
             :: recovery == seen && unchanged[me] ->
#endif
                recovery = me;
                recovery_written();
                recoverers++;
                assert(recoverers == 1);
                seen = 0;
                break
             :: else
             fi)
     :: else -> STEP(recovery != seen || !unchanged[me] || token_dead[seen])
     fi
  od;
  look = false
}

inline unlock_recovery() { STEP(recovery = 0; recovery_written(); recoverers--) }

/* Entries out of force are never read: the proof need not tell them apart. */
#define forget_entries(slot) rec[slot].old[0] = 0; rec[slot].old[1] = 0

inline roll_back(dead) {
  STEP(assert(token_dead[dead]); count = rec[dead].journal_count);
  do
  :: count > 0 -> STEP(assert(token_dead[dead]); count--; data[count] = rec[dead].old[count])
  :: else -> break
  od;
  STEP(assert(token_dead[dead]); rec[dead].journal_count = 0; forget_entries(dead))
}

inline release_locks(dead) {
  STEP(seen = rec[dead].intent);
  if
  :: seen != 0 && word[seen - 1] == dead -> STEP(assert(token_dead[dead]); word[seen - 1] = 0)
  :: else
  fi;
  seen = 0;
  STEP(assert(token_dead[dead]); rec[dead].intent = 0)
}

inline recover_locks(dead) {
  lock_recovery();
  read_is_dead(dead);
  if
  :: look ->
#ifdef BUG_ORDER
     release_locks(dead);
     roll_back(dead)
#else
     roll_back(dead);
     release_locks(dead)
#endif
  :: else
  fi;
  look = false;
  unlock_recovery()
}

/* ------------------------------------------------------------------ lock, unlock */

inline lock(which) {
#ifndef BUG_INTENT
  STEP(rec[me].intent = which + 1);
#endif
  do
  :: STEP(if
          :: word[which] == 0 ->
             word[which] = me;
             if
             :: which == OBJECT ->
                in_section++;
                assert(in_section == 1);
                assert(data[0] == done && data[1] == done)
             :: else
             fi;
             break
          :: else -> owner = word[which]
          fi);
     read_is_dead(owner);
     if
     :: look -> recover_locks(owner)
     :: else -> STEP(word[which] != owner || token_dead[owner])
     fi;
     owner = 0;
     look = false
  od;
#ifdef BUG_INTENT
  STEP(rec[me].intent = which + 1)
#endif
}

inline unlock(which) {
  STEP(assert(word[which] == me); word[which] = 0; if :: which == OBJECT -> in_section-- :: else fi);
  STEP(rec[me].intent = 0)
}

inline journal_set(n) {
#ifdef BUG_JOURNAL
  STEP(rec[me].old[n] = data[n]; data[n] = 1 - done);
  STEP(rec[me].journal_count = n + 1)
#else
  /* To die between entry and count is to die before both. */
  STEP(rec[me].old[n] = data[n]; rec[me].journal_count = n + 1);
  STEP(assert(word[OBJECT] == me); data[n] = 1 - done)
#endif
}

inline operate() {
  lock(OBJECT);
  journal_set(0);
  journal_set(1);
  STEP(assert(word[OBJECT] == me && rec[me].journal_count == 2);
       rec[me].journal_count = 0; forget_entries(me); done = 1 - done);
  unlock(OBJECT)
}

/* ------------------------------------------------------------------ slots */

#define CLAIMABLE(slot) (state[slot] == Free || (state[slot] == Claiming && claimer_gone[slot]))

inline claim() {
  /* The first that is free, or whose claimer is gone; the call fails if there is none. */
  atomic {
    if
    :: CLAIMABLE(1) -> me = 1
    :: !CLAIMABLE(1) && CLAIMABLE(2) -> me = 2
    :: !CLAIMABLE(1) && !CLAIMABLE(2) && CLAIMABLE(3) -> me = 3
    :: !CLAIMABLE(1) && !CLAIMABLE(2) && !CLAIMABLE(3) && CLAIMABLE(4) -> me = 4
    :: else -> goto gone
    fi;
    state[me] = Claiming;
    claimer_gone[me] = false
  }
  STEP(assert(rec[me].journal_count == 0 && rec[me].intent == 0); token_dead[me] = false);
  STEP(state[me] = Live)
}

inline reap() {
  lock(REAP);
  read_is_dead(victim);
  if
  :: look ->
     recover_locks(victim);
#ifdef BUG_FREE
     STEP(state[victim] = Free)
#else
     lock_recovery();
     STEP(assert(state[victim] == Live && token_dead[victim]); state[victim] = Free);
     unlock_recovery()
#endif
  :: else
  fi;
  look = false;
  unlock(REAP)
}

#define IS_CORPSE(slot) (state[slot] == Live && token_dead[slot])

proctype thread(byte me) {
  byte victim, seen, count, owner;
  bool look;

living:
  do
  :: atomic { operations < OPERATIONS -> operations++ };
     operate()
  :: atomic {
       reaps < REAPS && (IS_CORPSE(1) || IS_CORPSE(2) || IS_CORPSE(3) || IS_CORPSE(4));
       reaps++;
       if
       :: IS_CORPSE(1) -> victim = 1
       :: IS_CORPSE(2) -> victim = 2
       :: IS_CORPSE(3) -> victim = 3
       :: IS_CORPSE(4) -> victim = 4
       fi
     };
     reap();
     victim = 0
  :: operations == OPERATIONS -> goto gone /* lives on, between operations */
  od;

died:
  atomic {
    deaths++;
    if
    :: state[me] == Claiming -> claimer_gone[me] = true
    :: else
    fi;
    token_dead[me] = true;
    if
    :: word[OBJECT] == me -> in_section--
    :: else
    fi;
    if
    :: recovery == me -> recoverers--
    :: else
    fi;
    unchanged[me] = false;
    me = 0; victim = 0; seen = 0; count = 0; owner = 0; look = false
  }
  claim();
  goto living;

gone:
  skip
}

init {
  atomic {
    byte n = 1;
    state[0] = Free;
#ifdef SPARE_SLOT
    state[4] = Free;
    token_dead[4] = true;
#else
    state[4] = Live;  /* somebody who does nothing */
#endif
    do
    :: n <= THREADS -> state[n] = Live; run thread(n); n++
    :: else -> break
    od
  }
}
