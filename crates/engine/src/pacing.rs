//! When to propose, and when to believe another validator's clock.
//!
//! Both are waits, and both have to happen **outside** the actor that owns the state: that actor
//! finalizes nothing while one of its builds or checks is pending. So this wrapper stands between
//! consensus and it, and only waits.
//!
//! * A proposer waits until an operation is there or the heartbeat is over, whichever is first.
//!   The heartbeat counts from the parent's time, but never longer than one heartbeat from now, so
//!   neither a parent from the future nor a network that was off for days delays anything.
//! * A block whose time is more than [`MAX_CLOCK_LEAD`] ahead of this validator's clock is not
//!   judged until the clock is there. That withholds this validator's vote, and the view is given
//!   up if enough validators do so; it rejects nothing, because clocks differ. There is no bound
//!   relative to the parent: after a pause of any length the chain goes on.

use crate::{
    application::now_ms,
    block::{EngineBlock, RoundContext},
    pool::Pool,
    wiring::{Runtime, Scheme},
};
use commonware_consensus::{Application, marshal::ancestry::Ancestry};
use commonware_cryptography::Digested;
use commonware_runtime::Clock;
use futures::{
    StreamExt as _,
    future::{Either, select},
};
use realdid_checks::passes;
use std::{pin::pin, sync::Arc, time::Duration};

/// How far a block's time may lie ahead of a validator's clock.
pub(crate) const MAX_CLOCK_LEAD: Duration = Duration::from_secs(10);

/// Longest sleep before the clock is read again: it may be set meanwhile.
const CLOCK_POLL: Duration = Duration::from_secs(1);

/// Waits before it hands on to `inner`.
#[derive(Clone)]
pub(crate) struct Paced<A> {
    inner: A,
    pool: Arc<Pool>,
    heartbeat: Duration,
}

impl<A> Paced<A> {
    pub(crate) const fn new(inner: A, pool: Arc<Pool>, heartbeat: Duration) -> Self {
        Self {
            inner,
            pool,
            heartbeat,
        }
    }

    /// Waits until there is a reason to build on `parent`.
    async fn wait_for_reason(&self, clock: &impl Clock, parent: &EngineBlock) {
        let header = parent.header();
        if header.height == 0 {
            // The first block carries the genesis state; nothing can be proven before it.
            return;
        }
        let age = Duration::from_millis(now_ms(clock).saturating_sub(header.time_ms));
        let rest = self.heartbeat.saturating_sub(age);
        match select(pin!(self.pool.ready()), pin!(clock.sleep(rest))).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}

/// Waits until `time_ms` is at most [`MAX_CLOCK_LEAD`] ahead of the clock.
async fn wait_for_clock(clock: &impl Clock, time_ms: u64) {
    loop {
        let now = Duration::from_millis(now_ms(clock));
        let lead = Duration::from_millis(time_ms).saturating_sub(now + MAX_CLOCK_LEAD);
        if passes("ENG-10", lead.is_zero()) {
            return;
        }
        clock.sleep(lead.min(CLOCK_POLL)).await;
    }
}

impl<E, A> Application<E> for Paced<A>
where
    E: Runtime,
    A: Application<E, SigningScheme = Scheme, Context = RoundContext, Block = EngineBlock, Input = ()> + Sync,
{
    type SigningScheme = Scheme;
    type Context = RoundContext;
    type Block = EngineBlock;
    type Input = ();

    async fn propose(
        &mut self,
        context: (E, RoundContext),
        ancestry: impl Ancestry<EngineBlock>,
        input: (),
    ) -> Option<Digested<EngineBlock>> {
        let parent = ancestry.clone().next().await?;
        self.wait_for_reason(&context.0, parent.inner()).await;
        drop(parent);
        self.inner.propose(context, ancestry, input).await
    }

    async fn verify(&mut self, context: (E, RoundContext), ancestry: impl Ancestry<EngineBlock>) -> bool {
        let Some(block) = ancestry.clone().next().await else {
            return false;
        };
        wait_for_clock(&context.0, block.inner().header().time_ms).await;
        drop(block);
        self.inner.verify(context, ancestry).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pool::Origin, support::world};
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey, sha256::Digest};
    use commonware_runtime::{Runner as _, Spawner as _, Supervisor as _, deterministic};
    use realdid_ledger::{Block, Header, StateLog};

    const HEARTBEAT: Duration = Duration::from_secs(5);

    fn parent(height: u64, time_ms: u64) -> EngineBlock {
        let leader = PrivateKey::from_seed(0).public_key();
        let log = StateLog {
            root: [0; 32],
            start: 0,
            end: 1,
        };
        let mut header = Header::genesis([0; 32], log, crate::block::key_bytes(&leader));
        (header.height, header.time_ms) = (height, time_ms);
        let view = commonware_consensus::types::View::zero();
        let round = commonware_consensus::types::Round::new(commonware_consensus::types::Epoch::zero(), view);
        let context = RoundContext {
            round,
            leader,
            parent: (view, Digest([0; 32])),
        };
        EngineBlock::new(
            Block {
                header,
                operations: Vec::new(),
            },
            &context,
        )
    }

    /// How long a proposer waits on a parent, and when an operation comes meanwhile.
    fn waited(parent: EngineBlock, start_ms: u64, operation_after: Option<Duration>) -> Duration {
        deterministic::Runner::default().start(|context| async move {
            context.sleep(Duration::from_millis(start_ms)).await;
            let pool = Arc::new(Pool::new(4, 1 << 20));
            let paced = Paced::new((), pool.clone(), HEARTBEAT);
            if let Some(delay) = operation_after {
                context.child("submitter").spawn(move |context| async move {
                    context.sleep(delay).await;
                    pool.insert(world(1, 80).publish(0).0, Origin::Local)
                        .expect("room");
                });
            }
            let before = now_ms(&context);
            paced.wait_for_reason(&context, &parent).await;
            Duration::from_millis(now_ms(&context) - before)
        })
    }

    #[test]
    fn a_proposer_waits_for_an_operation_or_the_heartbeat() {
        let second = Duration::from_secs(1);
        assert_eq!(waited(parent(0, 0), 0, None), Duration::ZERO);
        assert_eq!(waited(parent(1, 10_000), 11_000, None), 4 * second);
        assert_eq!(waited(parent(1, 10_000), 86_400_000, None), Duration::ZERO);
        assert_eq!(waited(parent(1, 99_000), 11_000, None), HEARTBEAT);
        let early = waited(parent(1, 10_000), 10_000, Some(second));
        assert!(early >= second && early < 2 * second, "{early:?}");
    }

    // test: ENG-10
    #[test]
    fn a_block_from_the_future_is_judged_when_the_clock_is_there() {
        for (time_ms, seconds) in [(0, 0), (10_000, 0), (15_000, 5), (70_500, 60)] {
            let waited = deterministic::Runner::default().start(|context| async move {
                wait_for_clock(&context, time_ms).await;
                now_ms(&context)
            });
            assert!(
                (seconds * 1_000..(seconds + 2) * 1_000).contains(&waited),
                "{time_ms}: {waited}"
            );
        }
    }
}
