/*
 * Sleeping on an object: hand-off, publish after commit, interruption, removal, death and reaping
 * (core/cell/wait_queue.cc, core/ipc/msg_wait.cc, msg.cc, msg_ctl.cc, task_table.cc:reap_task()).
 *
 * Three threads send to, receive from and remove a queue that has room for one message. A receiver
 * waits while it is empty, a sender while it is full. Any thread may die before any of its steps,
 * and comes back as a new one in a slot that was reaped, maybe its own. A handler may interrupt a
 * wait at any step of it.
 *
 * lock.pml proves lock and recovery; here they are one step: the queue's lock can be had when it is
 * free or its owner is dead, and then the owner's unfinished transaction has been rolled back. Its
 * single stores are steps, though: whoever reads without the lock sees them.
 *
 * Proved for every interleaving:
 *   - every message has one owner: the queue, or one field of one task; none is lost, freed twice or
 *     received twice                                                              (check_owners)
 *   - what a call answers is what happened: success means that the message was sent, EINTR and EIDRM
 *     that it was not; nobody returns without an answer
 *   - a sleeper that rechecks and goes on sleeping is rightly asleep: it is in the queue's list, the
 *     queue is not removed, and is empty (full). So nobody sleeps for longer than a recheck's time
 *     after what it waited for
 *   - without deaths no recheck is needed (-DNO_RECHECK -DDEATHS=0): no wake-up is lost
 *
 * Seeded bugs, each of which spin must find:
 *   BUG_PUBLISH    the result is published before the commit
 *   BUG_REAP       the reaper looks whether the dead task is linked without the queue's lock
 *   BUG_UNSETTLED  who makes room does not note that senders are still to be admitted
 *   BUG_CANCEL     a handler's interruption does not look whether the wait is already over
 *   NO_RECHECK     with deaths: sleepers never recheck
 */

#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef SENDS
#define SENDS 2
#endif
#ifndef RECEIVES
#define RECEIVES 2
#endif
#ifndef REMOVALS
#define REMOVALS 0
#endif
#ifndef INTERRUPTS
#define INTERRUPTS 1
#endif

#define THREADS 3
#define SLOTS 4     /* slot 0 is none */
#define MESSAGES 4  /* message 0 is none */

mtype = { Free, Live, Idle, Spinning, Sleeping, Done, Receiver, Sender, Unborn, There, Received, Freed };

/* Results. */
#define PENDING 0
#define OK 1
#define EIDRM 2
#define EINTR 3

/* ---- the cell: what transactions write is in one array, so that the journal can name it */
#define QUEUED 0      /* the queue's message */
#define UNSETTLED 1
#define REMOVED 2
#define LINKED(s) (3 * (s))
#define RESULT(s) (3 * (s) + 1)
#define MESSAGE(s) (3 * (s) + 2)
#define IN_FLIGHT(s) (9 + 3 * (s))
#define DESTROYING(s) (10 + 3 * (s))
byte mem[21];
byte queue_owner;     /* the queue's lock */
byte reap_owner;      /* the reap lock */
mtype state[SLOTS];
mtype word[SLOTS];    /* wait words */
mtype kind[SLOTS];    /* written by the slot's thread while unlinked */
bool token_dead[SLOTS];

/* The journal of the queue's owner; transactions without the lock are one step here. */
byte journal_count;
byte place[7], old[7];

/* ---- not in the cell */
bool woken[SLOTS];               /* futex_wake() reached the sleeper */
mtype message_is[MESSAGES];
bool sent[MESSAGES];             /* the transaction that sends it is committed */
byte born, deaths, sends, receives, removals, interrupts;

#define STEP(statement) atomic { if :: statement :: deaths < DEATHS -> goto died fi }

inline kill_message(m, how) {
  assert(message_is[m] == There);
  message_is[m] = how
}

/* Whenever the lock is free and nothing is half done: each message that is there has one owner. */
inline check_owners() {
  d_step {
    n = 1;
    do
    :: n < MESSAGES ->
       count = (mem[QUEUED] == n) + (mem[MESSAGE(1)] == n) + (mem[MESSAGE(2)] == n) +
               (mem[MESSAGE(3)] == n) + (mem[IN_FLIGHT(1)] == n) + (mem[IN_FLIGHT(2)] == n) +
               (mem[IN_FLIGHT(3)] == n);
       assert(count == (message_is[n] == There));
       n++
    :: else -> break
    od;
    n = 0;
    count = 0
  }
}

/* ------------------------------------------------------------------ lock and journal */

inline roll_back() {
  d_step {
    do
    :: journal_count > 0 ->
       journal_count--;
       mem[place[journal_count]] = old[journal_count];
       place[journal_count] = 0;
       old[journal_count] = 0
    :: else -> break
    od
  }
}

inline set(where, value) {
  STEP(assert(queue_owner == me);
       place[journal_count] = where; old[journal_count] = mem[where]; journal_count++; mem[where] = value)
}

#define forget_entries() \
  d_step { \
    do \
    :: journal_count > 0 -> journal_count--; place[journal_count] = 0; old[journal_count] = 0 \
    :: else -> break \
    od \
  }

inline commit() { STEP(forget_entries()) }
inline commit_sending(m) { STEP(forget_entries(); sent[m] = true) }

inline lock_queue_only() {
  STEP((queue_owner == 0 || token_dead[queue_owner]) ->
       if :: queue_owner != 0 -> roll_back() :: else fi;
       assert(journal_count == 0);
       queue_owner = me;
       check_owners())
}

/* The wake-ups of this thread's section are made when the lock is free again. */
inline publish(s) {
  STEP(if :: word[s] == Sleeping -> wakes = wakes | (1 << s) :: else fi; word[s] = Done)
}

inline unlock_queue() {
  STEP(assert(queue_owner == me && journal_count == 0); queue_owner = 0);
  do
  :: wakes & 2 -> STEP(woken[1] = true); wakes = wakes & ~2
  :: wakes & 4 -> STEP(woken[2] = true); wakes = wakes & ~4
  :: wakes & 8 -> STEP(woken[3] = true); wakes = wakes & ~8
  :: else -> break
  od
}

/* The first live waiter of a kind in the list, 0 if there is none. */
#define WAITS(s, k) (mem[LINKED(s)] && kind[s] == k && !token_dead[s])
#define FIRST(k) (WAITS(1, k) -> 1 : (WAITS(2, k) -> 2 : (WAITS(3, k) -> 3 : 0)))

inline settle() {
  do
  :: atomic { mem[QUEUED] == 0 && FIRST(Sender) != 0 -> peer = FIRST(Sender); assert(FIRST(Receiver) == 0) };
     m = mem[MESSAGE(peer)];
     set(LINKED(peer), 0);
     set(RESULT(peer), OK);
     set(MESSAGE(peer), 0);
     set(QUEUED, m);
#ifdef BUG_PUBLISH
     publish(peer);
     commit_sending(m);
#else
     commit_sending(m);
     publish(peer);
#endif
     peer = 0;
     m = 0
  :: atomic { !(mem[QUEUED] == 0 && FIRST(Sender) != 0) -> break }
  od;
  if
  :: mem[UNSETTLED] -> set(UNSETTLED, 0); commit()
  :: else
  fi
}

inline lock_queue() {
  lock_queue_only();
  if
  :: mem[UNSETTLED] -> settle()
  :: else
  fi
}

/* ------------------------------------------------------------------ waiting */

#define RIGHTLY_ASLEEP(s) \
  (mem[LINKED(s)] && !mem[REMOVED] && (kind[s] == Receiver -> mem[QUEUED] == 0 : mem[QUEUED] != 0))

/* A recheck that would find nothing changes nothing, and need not be made. */
#ifdef NO_RECHECK
#define RECHECK_FINDS false
#else
#define RECHECK_FINDS \
  ((queue_owner == 0 && (!RIGHTLY_ASLEEP(me) || mem[UNSETTLED])) || (queue_owner != 0 && token_dead[queue_owner]))
#endif

inline recheck() {
  lock_queue();
  if
  :: !mem[LINKED(me)] -> STEP(word[me] = Done)
  :: mem[LINKED(me)] && mem[REMOVED] ->
     set(LINKED(me), 0);
     set(RESULT(me), EIDRM);
     commit();
     STEP(word[me] = Done)
  :: else -> assert(RIGHTLY_ASLEEP(me))
  fi;
  unlock_queue()
}

/* A handler takes the operation back, if it can. */
inline interrupt() {
  lock_queue();
  if
#ifdef BUG_CANCEL
  :: false
#else
  :: !mem[LINKED(me)] -> STEP(word[me] = Done); unlock_queue()
#endif
  :: else ->
     set(LINKED(me), 0);
     set(RESULT(me), EINTR);
     commit();
     STEP(word[me] = Idle);
     unlock_queue();
     m = mem[MESSAGE(me)];
     if
     :: m != 0 -> STEP(assert(!sent[m]); kill_message(m, Freed); mem[MESSAGE(me)] = 0)
     :: else
     fi;
     m = 0;
     goto answered
  fi
}

inline wait_until_done() {
  STEP(if :: word[me] == Spinning -> word[me] = Sleeping :: else fi);
  do
  :: word[me] != Sleeping -> STEP(word[me] != Sleeping); break
  :: atomic { interrupts < INTERRUPTS -> interrupts++ }; interrupt()
  :: STEP(word[me] == Sleeping -> woken[me] = false);
end_asleep:
     if
     :: STEP(woken[me])
     :: STEP(RECHECK_FINDS); recheck()
     :: atomic { interrupts < INTERRUPTS -> interrupts++ }; interrupt()
     fi
  od;
  /* The result is read without the lock. */
  assert(!mem[LINKED(me)] && mem[RESULT(me)] != PENDING && mem[RESULT(me)] != EINTR)
}

/* Under the lock, unlinked: the node is the thread's own. */
inline enqueue_self(k) {
  STEP(kind[me] = k; word[me] = Spinning; mem[RESULT(me)] = PENDING);
  set(LINKED(me), 1);
  commit();
  unlock_queue()
}

/* ------------------------------------------------------------------ the calls */

inline send() {
  STEP(born++; m = born; message_is[m] = There; mem[IN_FLIGHT(me)] = m);
  lock_queue();
  m = mem[IN_FLIGHT(me)];  /* settle() used it */
  peer = FIRST(Receiver);
  if
  :: mem[REMOVED] -> unlock_queue(); goto take_back
  :: !mem[REMOVED] && peer != 0 ->
     set(IN_FLIGHT(me), 0);
     set(LINKED(peer), 0);
     set(RESULT(peer), OK);
     set(MESSAGE(peer), m);
#ifdef BUG_PUBLISH
     publish(peer);
     commit_sending(m);
#else
     commit_sending(m);
     publish(peer);
#endif
     unlock_queue()
  :: !mem[REMOVED] && peer == 0 && mem[QUEUED] == 0 ->
     set(IN_FLIGHT(me), 0);
     set(QUEUED, m);
     commit_sending(m);
     unlock_queue()
  :: else ->
     set(MESSAGE(me), m);
     set(IN_FLIGHT(me), 0);
     own = m;
     m = 0;
     enqueue_self(Sender);
     wait_until_done();
     m = own;
     assert(mem[RESULT(me)] == OK || mem[RESULT(me)] == EIDRM);
     if
     :: mem[RESULT(me)] == OK -> assert(sent[m] && mem[MESSAGE(me)] == 0)
     :: else ->
        STEP(assert(mem[REMOVED] && mem[MESSAGE(me)] == m); mem[IN_FLIGHT(me)] = m; mem[MESSAGE(me)] = 0);
take_back:
        STEP(assert(!sent[m]); kill_message(m, Freed); mem[IN_FLIGHT(me)] = 0)
     fi
  fi;
  goto answered
}

inline receive() {
  lock_queue();
  if
  :: mem[REMOVED] -> unlock_queue(); goto answered
  :: !mem[REMOVED] && mem[QUEUED] != 0 ->
     m = mem[QUEUED];
     set(QUEUED, 0);
     set(IN_FLIGHT(me), m);
#ifndef BUG_UNSETTLED
     if
     :: FIRST(Sender) != 0 -> set(UNSETTLED, 1)
     :: else
     fi;
#endif
     commit();
     settle();
     unlock_queue()
  :: else ->
     STEP(mem[MESSAGE(me)] = 0);
     enqueue_self(Receiver);
     wait_until_done();
     if
     :: mem[RESULT(me)] == EIDRM -> assert(mem[REMOVED] && mem[MESSAGE(me)] == 0); goto answered
     :: else -> STEP(assert(mem[MESSAGE(me)] != 0); mem[IN_FLIGHT(me)] = mem[MESSAGE(me)]; mem[MESSAGE(me)] = 0)
     fi
  fi;
  STEP(m = mem[IN_FLIGHT(me)]; assert(sent[m]); kill_message(m, Received); mem[IN_FLIGHT(me)] = 0);
  goto answered
}

/* Finishes a removal; the thread's own or that of a dead task. */
inline tear_down() {
  lock_queue_only();
  do
  :: mem[LINKED(1)] || mem[LINKED(2)] || mem[LINKED(3)] ->
     peer = (mem[LINKED(1)] -> 1 : (mem[LINKED(2)] -> 2 : 3));
     set(LINKED(peer), 0);
     set(RESULT(peer), EIDRM);
     commit();
     publish(peer)
  :: else -> break
  od;
  peer = 0;
  m = mem[QUEUED];
  if
  :: m != 0 ->
     set(IN_FLIGHT(me), m);
     set(QUEUED, 0);
     commit()
  :: else
  fi;
  unlock_queue();
  if
  :: m != 0 -> STEP(kill_message(m, Freed); mem[IN_FLIGHT(me)] = 0)
  :: else
  fi;
  m = 0;
  STEP(mem[DESTROYING(me)] = 0)
}

inline remove() {
  lock_queue();
  if
  :: mem[REMOVED] -> unlock_queue()
  :: else ->
     set(REMOVED, 1);
     set(DESTROYING(me), 1);
     commit();
     unlock_queue();
     tear_down()
  fi;
  goto answered
}

/* ------------------------------------------------------------------ the dead */

#define IS_CORPSE(s) (state[s] == Live && token_dead[s])

inline free_of_dead(where) {
  if
  :: mem[where] != 0 ->
     STEP(mem[IN_FLIGHT(me)] = mem[where]; mem[where] = 0);
     STEP(kill_message(mem[IN_FLIGHT(me)], Freed); mem[IN_FLIGHT(me)] = 0)
  :: else
  fi
}

inline reap(dead) {
  STEP((reap_owner == 0 || token_dead[reap_owner]) -> reap_owner = me);
  if
  :: IS_CORPSE(dead) ->
     /* recover_locks() */
     STEP(if :: queue_owner == dead -> roll_back(); queue_owner = 0 :: else fi);
     if
#ifdef BUG_REAP
     :: !mem[LINKED(dead)]
#endif
     :: else ->
        lock_queue();
        if
        :: mem[LINKED(dead)] -> set(LINKED(dead), 0); commit()
        :: else
        fi;
        unlock_queue()
     fi;
     free_of_dead(MESSAGE(dead));
     free_of_dead(IN_FLIGHT(dead));
     if
     :: mem[DESTROYING(dead)] ->
        STEP(mem[DESTROYING(me)] = 1; mem[DESTROYING(dead)] = 0);
        tear_down()
     :: else
     fi;
     STEP(assert(IS_CORPSE(dead)); state[dead] = Free)
  :: else
  fi;
  STEP(reap_owner = 0);
  goto answered
}

#define wipe_node() word[me] = Idle; kind[me] = Idle; woken[me] = false; mem[RESULT(me)] = PENDING

proctype thread(byte me) {
  byte m, own, peer, victim, wakes, n, count;

living:
end_idle:
  do
  :: atomic { sends < SENDS -> sends++ }; send()
  :: atomic { receives < RECEIVES -> receives++ }; receive()
  :: atomic { removals < REMOVALS -> removals++ }; remove()
  :: atomic {
       IS_CORPSE(1) || IS_CORPSE(2) || IS_CORPSE(3) ->
       victim = (IS_CORPSE(1) -> 1 : (IS_CORPSE(2) -> 2 : 3))
     };
     reap(victim)
  od;

answered:
  /* What no later wait reads is wiped, lest it make states differ. */
  atomic {
    m = 0; own = 0; peer = 0; victim = 0;
    wipe_node();
    assert(mem[IN_FLIGHT(me)] == 0 && mem[MESSAGE(me)] == 0 && !mem[LINKED(me)] && !mem[DESTROYING(me)])
  }
  goto living;

died:
  atomic {
    deaths++;
    token_dead[me] = true;
    me = 0; m = 0; own = 0; peer = 0; victim = 0; wakes = 0; n = 0; count = 0
  }
end_unclaimed:
  /* Claims a slot that was reaped. */
  atomic {
    if
    :: state[1] == Free -> me = 1
    :: state[2] == Free -> me = 2
    :: state[3] == Free -> me = 3
    fi;
    state[me] = Live;
    token_dead[me] = false;
    wipe_node();
    assert(mem[IN_FLIGHT(me)] == 0 && mem[MESSAGE(me)] == 0 && !mem[LINKED(me)] && !mem[DESTROYING(me)])
  }
  goto living
}

init {
  atomic {
    byte n = 1;
    do
    :: n <= THREADS -> state[n] = Live; word[n] = Idle; run thread(n); n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < MESSAGES -> message_is[n] = Unborn; n++
    :: else -> break
    od
  }
  /* Nothing moves any more: whoever still sleeps does so rightly. */
end_of_all:
  timeout;
#define MAY_SLEEP(s) (token_dead[s] || !mem[LINKED(s)] || RIGHTLY_ASLEEP(s))
  assert(queue_owner == 0 || token_dead[queue_owner]);
  if
  :: queue_owner == 0 ->
     assert(MAY_SLEEP(1) && MAY_SLEEP(2) && MAY_SLEEP(3));
#define IS_ASLEEP(s) (word[s] == Sleeping && state[s] == Live && !token_dead[s])
     assert((!IS_ASLEEP(1) || mem[LINKED(1)]) && (!IS_ASLEEP(2) || mem[LINKED(2)]) && (!IS_ASLEEP(3) || mem[LINKED(3)]))
  :: else
  fi
}
