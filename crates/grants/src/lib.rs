//! The right to see data: what a grant says, who issues it, and what it compiles to for the lake.
