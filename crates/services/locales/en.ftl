# One-stop services: home, guide, eligibility, forms, submission, bookings

# Home and search
services-home = Home
services-home-title = Services
services-home-question = What would you like to do?
services-home-lead = Say it in your own words. Most services of { $place } need no visit and no papers.
services-home-often = Often searched:
services-home-life-events = Life events
services-home-who = Who are you?
services-home-person = A person
services-home-person-text = Marriage, old age, opening a shop: your own affairs and your family's.
services-home-business = A business
services-home-business-text = Registering, changing and running a business.
services-home-my = I have already applied
services-home-my-text = See progress, go on with a draft, show your licences.
services-home-subjects = By subject
services-home-held = What you can do with what you hold
services-home-held-own = What you can do with the licences you hold
services-home-held-text = These licences are electronic; the services below need no copy of them.
services-home-help = Cannot find it, or need help?
services-home-help-text = Call the hotline, or come to a service centre near you.
services-count-services =
    { $count ->
        [one] { $count } service
       *[other] { $count } services
    }
services-list-comma = ,{" "}
services-list-and = {" and "}
services-search-label = Search for a service
services-search-placeholder = for example: open a shop
services-search-title = All services
services-search-title-for = Results for “{ $q }”
services-search-count =
    { $count ->
        [one] { $count } service found
       *[other] { $count } services found
    }
services-search-none = No service fits
services-search-none-text = It may be called something else, or it cannot be done here yet.
services-search-try = What you can try
services-search-try-words = Use other or fewer words, such as “shop”, “marriage” or “allowance”.
services-search-try-theme = Look under a subject or a life event.
services-search-try-phone = Ask by telephone:
services-search-all = See all services
services-search-themes = Subjects and life events
services-found-keyword = Also called “{ $word }”
services-found-alike = Means nearly the same as “{ $word }”
services-found-sound = Did you mean “{ $word }”?
services-card-promised = Promised: { $term }

# Guide
services-guide-check = See whether I may apply
services-guide-apply = Apply now
services-guide-book = Book now
services-guide-parties = { $parties } each confirm with an account of their own.
services-guide-who = Who may apply
services-guide-conditions = Conditions
services-guide-materials = What is needed
services-guide-materials-none = Usually nothing to bring: what the government already holds, we look up ourselves.
services-guide-limits = How long it takes
services-guide-steps = How it goes
services-guide-result = In the end you get: { $licence }.
services-guide-where = Where
services-guide-channels = Ways to apply: { $channels }.
services-guide-basis = Legal basis
services-guide-faq = Questions and answers
services-guide-codes = Catalogue code { $catalog } · { $type }
services-guide-task-code = Task code { $code }
services-guide-authority = Who decides
services-guide-ask = Questions? Call
services-limit-promised = Promised time
services-limit-statutory = Statutory limit
services-limit-start = Counted from
services-limit-at-once = Complete applications are settled at once.
services-start-received = receipt of the application
services-start-accepted = acceptance of the application
services-fee = Fee
services-fee-none = Free of charge
services-fee-amount = CNY { $yuan }
services-visits = Visits
services-visits-none = No visit
services-visits-count =
    { $count ->
        [one] At most one visit
       *[other] At most { $count } visits
    }
services-venue = Place
services-venue-address = Address
services-venue-hours = Hours
services-venue-phone = Telephone
services-material-from-licence = Your electronic { $licence } takes its place.
services-material-from-source = Checked against the { $source }.
services-material-upload = Upload a picture or scan: PDF, JPG or PNG, up to 20 MB.
services-material-else-upload = Where nothing is found, upload a picture or scan.
services-material-filled-in = Made from the form; nothing to prepare.
services-material-promise = A declaration that you tick; no certificate is asked for.
services-material-show = Shown when you come; no copies.
services-material-tolerant = May follow later.
services-faq-visit = Do I have to come?
services-faq-visit-none = No, all of it is online. You may also come to the counter if you like.
services-faq-visit-count =
    { $count ->
        [one] Once at most; the rest is online.
       *[other] At most { $count } times; the rest is online.
    }
services-faq-later = Can I stop half-way?
services-faq-later-answer = Yes. Each page is saved; you can go on with another device within 30 days.
services-faq-long = How do I know how far it is?
services-faq-long-answer = The promised time is { $promised }. You get a receipt and can follow the case and both time limits in “My affairs”.
services-faq-data = Who sees my data?
services-faq-data-answer = Only the officers who handle it, and each look is noted in your data footprint.
services-faq-help = What if it fails or I am not content?
services-faq-help-answer = Call { $phone }; you can rate the case, and every decision says where to ask for a review.
services-audience-natural-person = Natural persons
services-audience-enterprise = Enterprises
services-audience-public-institution = Public institutions
services-audience-social-organisation = Social organisations
services-audience-unincorporated-business = Unincorporated businesses
services-audience-government-organ = Government organs
services-audience-other-organisation = Other organisations
services-channel-online = online
services-channel-counter = at the counter
services-channel-post = by post
services-channel-telephone = by telephone
services-channel-kiosk = at a kiosk
services-channel-home-visit = at home
services-type-01 = administrative permit
services-type-02 = penalty
services-type-03 = coercion
services-type-04 = levy
services-type-05 = benefit
services-type-06 = inspection
services-type-07 = confirmation
services-type-08 = reward
services-type-09 = adjudication
services-type-10 = other power
services-type-20 = public service

# Eligibility
services-check-title = May you apply for “{ $item }”?
services-check-lead = A few questions, and you know at once and why. The answers are not kept and do not affect an application.
services-check-button = See the result
services-check-skip = Apply without answering
services-verdict-title = Result: { $item }
services-verdict-again = Change the answers
services-verdict-eligible = You may apply
services-verdict-not-eligible = By your answers, you may not apply yet
services-verdict-unsure = It is not certain
services-verdict-not-enough-data = It is not certain
services-verdict-basis = Legal basis
services-verdict-missing = Still unanswered:
services-verdict-how = How this was decided, step by step
services-verdict-next = Sign in; your name, number and address are filled in for you and you add the rest. You can stop half-way: the draft is kept for 30 days.
services-verdict-else = What else you can do
services-verdict-ask = Questions? Call
services-verdict-still = This is only for orientation. You may apply all the same; the authority then answers in writing with reasons.
services-verdict-apply-anyway = Apply all the same
services-next = What happens next

# Forms
services-yes = Yes
services-no = No
services-select-none = Choose
services-date-hint = for example 1990 5 1
services-citizen-id-hint = 18 characters; the last may be X.
services-address-division = Township or subdistrict
services-address-elsewhere = Elsewhere (write it in full below)
services-address-hint = Down to the house number.
services-file-hint = PDF, JPG or PNG, up to 20 MB, one file.
services-error-fill = Fill in: { $label }
services-error-choose = Choose: { $label }
services-error-attach = Attach: { $label }
services-error-choice = Choose one of the options listed
services-error-number = Enter a whole number, such as 3
services-error-min = It must be at least { $least }
services-error-max = It must be at most { $most }
services-error-date = There is no such day; check year, month and day
services-error-phone = Enter a mobile number of 11 digits, or a landline with its area code
services-error-address = The address is too short; give the house number
services-error-control = It holds characters that cannot be used; type it again
services-error-too-long = At most { $most } characters
services-error-type = It must be of the type { $wanted }
services-error-unknown-field = There is no such field
services-error-citizen-id-length = A citizen number has 18 characters
services-error-citizen-id-character = Only digits, and X at the end
services-error-citizen-id-region = The region of the first six digits never existed; check it
services-error-citizen-id-birth = The date of birth in the number does not exist; check it
services-error-citizen-id-birth-in-future = The date of birth in the number lies in the future; check it
services-error-citizen-id-check = The last character does not fit the others; check for a typing mistake
services-name-too-short = A name has at least two characters
services-name-too-long = A name has at most 20 characters
services-name-character = “{ $part }” may not stand in a name; use Chinese characters
services-name-word = “{ $part }” may not stand in a name
services-name-empty = Add a part that tells it from others
