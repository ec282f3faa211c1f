//! Corrections: each says which facts it touches and how they are mended; `refold` takes those out and places
//! them again, so that every table is what it would have been had the corrected facts been known.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Work;
use super::book::{FillRef, FillStatus};
use super::place::Surprise;
use super::position::Fill;
use super::refold::pending_key;
use super::trade::{Fact, Trade, fields_of};
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::event::{FillBusted, FillCorrected, FillsReassigned, Payload, TradeAmended, TradeExited, TradeOpened};
use crate::fills;

impl Work<'_> {
    pub(super) fn correct_fill(&mut self, corrected: &FillCorrected) {
        let Some(filed) = self.correctable(&corrected.fill_id, None) else { return };
        self.mark_corrected(&corrected.fill_id);
        self.refold(&[&filed], &[], |pending| {
            for fact in pending.values_mut().filter(|fact| records(fact, &corrected.fill_id)) {
                mend(fact, corrected);
            }
        });
        self.finish(&[&filed]);
    }

    pub(super) fn bust_fill(&mut self, busted: &FillBusted) {
        let Some(filed) = self.correctable(&busted.fill_id, None) else { return };
        let last = self.as_it_stood(&busted.fill_id, &filed);
        self.refold(&[&filed], &[], |pending| {
            let at = pending.iter().find(|(_, fact)| records(fact, &busted.fill_id)).map(|(at, _)| *at);
            let Some(at) = at else { return };
            match pending.get_mut(&at).filter(|fact| matches!(fact.payload, Payload::TradeExited(_))) {
                Some(exit) => exit.busted = true,
                None => drop(pending.remove(&at)),
            }
        });
        if let Some((fill, named)) = last {
            let trades = named.into_iter().collect();
            let filed = FillRef { status: FillStatus::Busted, trades, last_seq: self.now, ..filed.clone() };
            self.rows.put(&fills::TABLE, fills::row(&fill, &filed));
            self.state.fills.put(&Key::text(&busted.fill_id), filed);
        }
        self.finish(&[&filed]);
    }

    /// A fill before it is busted, and the trade it named.
    fn as_it_stood(&mut self, fill_id: &str, filed: &FillRef) -> Option<(Fill, Option<String>)> {
        let mut quantity = Dec::ZERO;
        let mut recorded = None;
        for trade_id in &filed.trades {
            for fact in self.trade(trade_id)?.facts.iter().filter(|fact| records(fact, fill_id)) {
                quantity += fact.part.map_or(Dec::ZERO, |part| part.quantity);
                recorded = Some(fact.clone());
            }
        }
        let fact = recorded?;
        match &fact.payload {
            Payload::FillRecorded(fill) => {
                let named = fact.moved_to.clone().or_else(|| fill.trade_id.clone());
                Some((Fill::recorded(&fact, fill, filed.book.account.clone()), named))
            }
            Payload::TradeExited(exit) => {
                let named = fact.moved_to.clone().or_else(|| Some(exit.trade_id.clone()));
                let trade = self.trade(&exit.trade_id)?;
                Some((Fill::of_exit(&fact, exit, exit.price?, quantity, trade), named))
            }
            _ => None,
        }
    }

    /// A fill that can still be corrected: known, and not busted.
    fn correctable(&mut self, fill_id: &str, trade: Option<&str>) -> Option<FillRef> {
        let filed = self.state.fills.get(self.shelf, &Key::text(fill_id)).cloned();
        let (kind, detail) = match &filed {
            Some(known) if known.status != FillStatus::Busted => return filed,
            Some(_) => ("fill_was_busted", "the fill was busted before, which is final: nothing changed"),
            None => ("unknown_fill", "names a fill that is not known: nothing changed"),
        };
        self.list_anomaly(self.now, Surprise { kind, trade, fill: Some(fill_id), detail });
        self.in_vain = true;
        None
    }

    /// Placing the fill again writes its row with this status.
    fn mark_corrected(&mut self, fill_id: &str) {
        let now = self.now;
        let known = self.state.fills.get_mut(self.shelf, &Key::text(fill_id));
        if let Some(filed) = known.filter(|filed| filed.status != FillStatus::Busted) {
            filed.status = FillStatus::Corrected;
            filed.last_seq = now;
        }
    }

    pub(super) fn reassign_fills(&mut self, reassigned: &FillsReassigned) {
        let mut filed = Vec::new();
        for fill_id in &reassigned.fill_ids {
            filed.extend(self.correctable(fill_id, Some(&reassigned.trade_id)));
        }
        self.in_vain = filed.is_empty();
        if self.in_vain {
            return;
        }
        let filed: Vec<&FillRef> = filed.iter().collect();
        self.refold(&filed, &[&reassigned.trade_id], |pending| {
            for fact in pending.values_mut() {
                if fact.fill_id().is_some_and(|fill_id| reassigned.fill_ids.contains(&fill_id)) {
                    fact.moved_to = Some(reassigned.trade_id.clone());
                }
            }
        });
        self.finish(&filed);
        self.count_correction(&reassigned.trade_id);
    }

    pub(super) fn amend_trade(&mut self, id: Uuid, amended: &TradeAmended) {
        let Some(trade) = self.trade(&amended.trade_id).cloned() else {
            return self.unknown_trade(&amended.trade_id);
        };
        let changes = fields_of(&amended.changes.0);
        let (opening, exiting): (Map<_, _>, Map<_, _>) =
            changes.into_iter().partition(|(field, _)| !EXIT_FIELDS.contains(&field.as_str()));
        let stand_ins = self.stand_ins(id, &trade, &opening, &exiting);
        if ["price", "quantity", "fees"].iter().any(|field| exiting.contains_key(*field)) {
            self.mark_exit_corrected(&trade);
        }
        let (now, trade_id) = (self.now, amended.trade_id.clone());
        self.refold(&[], &[&amended.trade_id], |pending| {
            if let Some(fact) = pending.values_mut().find(|fact| opens(fact, &trade_id)) {
                fact.amend(&opening);
            }
            if let Some(fact) = pending.values_mut().rev().find(|fact| fact.seq < now && exits(fact, &trade_id)) {
                fact.amend(&exiting);
            }
            for fact in stand_ins {
                pending.insert(pending_key(&fact), fact);
            }
        });
        // Kept with the trade, so that it becomes an orphan should a later correction take the trade away.
        self.place(Fact::new(now, id, self.at, Payload::TradeAmended(amended.clone())));
        self.finish(&[]);
        self.count_correction(&amended.trade_id);
    }

    fn mark_exit_corrected(&mut self, trade: &Trade) {
        let last = trade.facts.iter().rev().find(|fact| exits(fact, &trade.trade_id));
        if let Some(fill_id) = last.and_then(Fact::fill_id) {
            self.mark_corrected(&fill_id);
        }
    }

    /// The events an amendment speaks of and the trade doesn't have: what it says stands in for them.
    fn stand_ins(
        &mut self,
        id: Uuid,
        trade: &Trade,
        opening: &Map<String, Value>,
        exiting: &Map<String, Value>,
    ) -> Vec<Fact> {
        let mut made = Vec::new();
        let stand_in = |payload| Fact { stand_in: Some("{}".to_owned()), ..Fact::new(self.now, id, self.at, payload) };
        if !opening.is_empty() && trade.opened().is_none() {
            let blank = blank_opening(trade);
            let mut fact = stand_in(Payload::TradeOpened(Box::new(blank)));
            fact.amend(opening);
            made.push(fact);
        }
        if !exiting.is_empty() && trade.exits().next().is_none() {
            let blank = TradeExited { trade_id: trade.trade_id.clone(), ..TradeExited::default() };
            let mut fact = stand_in(Payload::TradeExited(Box::new(blank)));
            fact.amend(exiting);
            // Without an exit event there is no exit fill to amend: its fills have corrections of their own.
            if let Payload::TradeExited(exit) = &mut fact.payload {
                exit.price = None;
            }
            made.push(fact);
        }
        made
    }

    pub(super) fn unknown_trade(&mut self, trade_id: &str) {
        let detail = "names a trade that is not known: nothing changed";
        let surprise = Surprise { kind: "unknown_trade", trade: Some(trade_id), fill: None, detail };
        self.in_vain = true;
        self.list_anomaly(self.now, surprise);
    }

    /// Counts a correction on a trade that it names.
    pub(super) fn count_correction(&mut self, trade_id: &str) {
        let now = self.now;
        if let Some(trade) = self.trade_mut(trade_id, now)
            && trade.corrected_at != now
        {
            trade.corrected_at = now;
            trade.corrections += 1;
        }
    }
}

fn records(fact: &Fact, fill_id: &str) -> bool {
    fact.fill_id().is_some_and(|recorded| recorded == fill_id)
}

fn opens(fact: &Fact, trade_id: &str) -> bool {
    matches!(&fact.payload, Payload::TradeOpened(opened) if opened.trade_id == trade_id)
}

fn exits(fact: &Fact, trade_id: &str) -> bool {
    matches!(&fact.payload, Payload::TradeExited(exit) if exit.trade_id == trade_id)
}

fn mend(fact: &mut Fact, corrected: &FillCorrected) {
    match &mut fact.payload {
        Payload::FillRecorded(fill) => {
            fill.quantity = corrected.quantity.unwrap_or(fill.quantity);
            fill.price = corrected.price.unwrap_or(fill.price);
            fill.fees = corrected.fees.or(fill.fees);
        }
        Payload::TradeExited(exit) => {
            exit.quantity = corrected.quantity.or(exit.quantity);
            exit.price = corrected.price.or(exit.price);
            exit.fees = corrected.fees.or(exit.fees);
        }
        _ => {}
    }
}

/// The fields an amendment changes in TradeExited; `order_type` and `notes` are TradeOpened's.
const EXIT_FIELDS: [&str; 9] = [
    "reason",
    "price",
    "quantity",
    "fees",
    "intended_price",
    "slippage_ticks",
    "latency_ms",
    "execution_quality",
    "daily_loss_limit_remaining",
];

fn blank_opening(trade: &Trade) -> TradeOpened {
    TradeOpened {
        trade_id: trade.trade_id.clone(),
        symbol: trade.symbol.clone(),
        side: trade.direction,
        strategy: String::new(),
        account_id: Some(trade.account.clone()),
        regime: None,
        timeframe: None,
        stop_price: None,
        target_price: None,
        planned_quantity: None,
        planned_entry_price: None,
        risk_amount: None,
        equity: None,
        order_type: None,
        signal: None,
        notes: None,
        tags: None,
        mental_state: None,
        confidence: None,
        success_probability: None,
        daily_loss_limit: None,
        conditions: None,
        attributes: None,
    }
}
