//! One-stop services: catalogue, guides, eligibility, forms, drafts and appointments.
