//! tradefold: an event-sourced trading journal.
