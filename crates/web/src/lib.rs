//! Page shell, GOV.UK macros, forms, languages, problem+json and the request's context.
