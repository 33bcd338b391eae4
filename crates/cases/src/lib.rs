//! The closed loop: procedures, stages, legal clocks, queues, supervision and ratings.
