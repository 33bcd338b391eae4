//! The citizen's way through the pages, without a script: each answer a form that is posted.

use crate::common::{ADULT, BRIDE, Citizen, TestApp, app};
use http::StatusCode;
use store::test::On;

const HOUSE: &str = "云南省大理白族自治州大理市大理镇复兴路12号";

#[track_caller]
fn holds(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "`{text}` is missing in:\n{page}");
    }
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}

/// Posts a page's form with its mark.
async fn answer(test: &TestApp, who: &Citizen, at: &str, fields: &str) -> (StatusCode, String, String) {
    let (status, _, page) = test.page(who, at).await;
    assert_eq!(status, StatusCode::OK, "{at}: {page}");
    let path = at.split('?').next().unwrap();
    let form = format!("_mark={}&_from={}&{fields}", hidden(&page, "_mark"), hidden(&page, "_from"));
    test.submit_form(who, path, &form).await
}

async fn begun(test: &TestApp, who: &Citizen, item: &str) -> (String, String) {
    let (status, _, page) = test.page(who, &format!("/apply/{item}")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let (status, to, _) = test.submit_form(who, &format!("/apply/{item}"), "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let root = to.rsplit_once('/').unwrap().0.to_owned();
    (root, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_applied_for_page_by_page() {
    let test = app(On::Sqlite).await;
    let owner = test.person("段誉和", ADULT, false).await;
    test.give_house(&owner, HOUSE).await;
    let (root, first) = begun(&test, &owner, "individual-business-registration").await;
    let (_, _, page) = test.page(&owner, &first).await;
    holds(&page, &["经营者", "段誉和", ADULT, "人口基础库", "2026年11月24日", "信息无误，继续"]);
    let (_, to, _) = answer(&test, &owner, &first, "").await;
    assert_eq!(to, format!("{root}/contact"));
    let (status, _, page) = answer(&test, &owner, &to, "operator.phone=12").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&page, &["请填 11 位手机号", "value=\"12\"", "请改正下面的问题"]);
    let (_, to, _) = answer(&test, &owner, &to, "operator.phone=13900001111").await;
    assert_eq!(to, format!("{root}/shop-name"));
    services::demo::seed(&test.app).await.unwrap();
    let (status, _, page) =
        answer(&test, &owner, &to, "shop.name=%E6%AE%B5%E8%AE%B0%E5%B0%8F%E9%A6%86").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&page, &["这个名称已被使用"]);
    let (_, to, _) = answer(&test, &owner, &to, "shop.name=%E8%8B%8D%E6%B4%B1%E5%B0%8F%E9%A6%86").await;
    let (_, to, _) = answer(&test, &owner, &to, "shop.place_kind=own").await;
    assert_eq!(to, format!("{root}/address"));
    let (_, _, page) = test.page(&owner, &to).await;
    holds(&page, &["复兴路12号", "不动产登记库", "shop.address-division", "大理镇"]);
    let (_, to, _) = answer(
        &test,
        &owner,
        &to,
        "shop.address-division=532901102&shop.address=%E5%A4%8D%E5%85%B4%E8%B7%AF12%E5%8F%B7",
    )
    .await;
    assert_eq!(to, format!("{root}/scope"));
    // A later page cannot be reached over one that is open.
    let (status, headers, _) = test.page(&owner, &format!("{root}/promise")).await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, to.as_str()));
    let (_, to, _) = answer(&test, &owner, &to, "shop.scope=retail&shop.scope=crafts").await;
    let (_, to, _) = answer(&test, &owner, &to, "operator.declares=true").await;
    assert_eq!(to, format!("{root}/review"));
    let (_, _, page) = test.page(&owner, &to).await;
    holds(
        &page,
        &[
            "提交前再看一遍",
            "苍洱小馆",
            "日用百货零售、工艺美术品零售",
            "已有电子证照",
            "当场办结",
            "提交申请",
        ],
    );
    // An answer is changed and leads back to the review.
    let (_, back, _) =
        answer(&test, &owner, &format!("{root}/contact?from=review"), "operator.phone=13900002222").await;
    assert_eq!(back, format!("{root}/review"));
    let (status, _, page) = test.submit_form(&owner, &format!("{root}/submit"), "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&page, &["请勾选承诺后再提交"]);
    let (status, to, page) = test.submit_form(&owner, &format!("{root}/submit"), "declares=true").await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, format!("{root}/done").as_str()), "{page}");
    let (status, _, page) = test.page(&owner, &to).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    holds(
        &page,
        &[
            "已办好",
            "532901-20261124-",
            "法定时限",
            "承诺时限",
            "理由和依据",
            "第十九条",
            "下载回执",
            "12345",
        ],
    );
    let case_no =
        page.split("532901-20261124-").nth(1).map(|rest| format!("532901-20261124-{}", &rest[..9])).unwrap();
    let (status, headers, file) = test.page(&owner, &format!("/my/cases/{case_no}/receipt")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    licences::document::SignedDocument::parse(file.as_bytes()).expect("the receipt is a signed document");
    let stranger = test.person("木婉清", BRIDE, false).await;
    assert_eq!(test.page(&stranger, &format!("/my/cases/{case_no}/receipt")).await.0, StatusCode::NOT_FOUND);
    let (_, _, page) = test.page(&owner, "/my").await;
    holds(&page, &["我的", &case_no, "没有要处理的事"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_saved_elsewhere_says_so_and_keeps_what_was_typed() {
    let test = app(On::Sqlite).await;
    let owner = test.person("段誉和", ADULT, false).await;
    let (root, first) = begun(&test, &owner, "individual-business-registration").await;
    answer(&test, &owner, &first, "").await;
    let at = format!("{root}/contact");
    let (_, _, stale) = test.page(&owner, &at).await;
    answer(&test, &owner, &at, "operator.phone=13900001111").await;
    let form = format!("_mark={}&operator.phone=13900009999", hidden(&stale, "_mark"));
    let (status, _, page) = test.submit_form(&owner, &at, &form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&page, &["您在另一台设备上改过这一步", "13900009999"]);
    let form = format!("_mark={}&operator.phone=13900009999", hidden(&page, "_mark"));
    assert_eq!(test.submit_form(&owner, &at, &form).await.0, StatusCode::SEE_OTHER);
    // Going back and sending the same once more is no conflict.
    assert_eq!(
        test.submit_form(
            &owner,
            &at,
            &format!("_mark={}&operator.phone=13900009999", hidden(&stale, "_mark"))
        )
        .await
        .0,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wedding_is_booked_by_two_people_on_their_own_pages() {
    let test = app(On::Sqlite).await;
    let groom = test.person("段誉和", ADULT, false).await;
    let bride = test.person("木婉清", BRIDE, false).await;
    let (root, first) = begun(&test, &groom, "marriage-registration-appointment").await;
    let (_, _, page) = test.page(&groom, &first).await;
    holds(&page, &["这里填的是您本人吗", "填入我的信息"]);
    let (_, to, _) = test.submit_form(&groom, &format!("{first}/own"), "").await;
    let (_, _, page) = test.page(&groom, &to).await;
    holds(&page, &["段誉和", ADULT]);
    let (_, to, _) = answer(
        &test,
        &groom,
        &to,
        &format!("groom.name=%E6%AE%B5%E8%AA%89%E5%92%8C&groom.citizen_id={ADULT}"),
    )
    .await;
    let (_, to, _) = answer(
        &test,
        &groom,
        &to,
        &format!("bride.name=%E6%9C%A8%E5%A9%89%E6%B8%85&bride.citizen_id={BRIDE}"),
    )
    .await;
    let (_, to, _) = answer(&test, &groom, &to, "contact.phone=13800001234").await;
    assert_eq!(to, format!("{root}/time"));
    let (_, _, page) = test.page(&groom, &to).await;
    holds(&page, &["选一个时间", "余 2", "09:00", "保留 30 分钟"]);
    let (_, to, page) =
        test.submit_form(&groom, &format!("{root}/slot"), &format!("slot={}", hidden(&page, "slot"))).await;
    assert_eq!(to, format!("{root}/declaration"), "{page}");
    let (_, to, _) = answer(&test, &groom, &to, "both.declare=true").await;
    assert_eq!(to, format!("{root}/groom-confirms"));
    let (status, _, page) = answer(&test, &groom, &to, "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&page, &["请勾选确认"]);
    let (_, to, _) = answer(&test, &groom, &to, "groom.confirmed=true").await;
    assert_eq!(to, format!("{root}/materials"));
    let (_, _, page) = test.page(&groom, &to).await;
    holds(&page, &["我承诺：", "不用现在交"]);
    let (_, to, _) = test.submit_form(&groom, &to, "promise=declaration").await;
    assert_eq!(to, format!("{root}/review"));
    let (_, _, page) = test.page(&groom, &to).await;
    holds(&page, &["提交并邀请对方确认", "女方"]);
    let (_, to, page) = test.submit_form(&groom, &format!("{root}/submit"), "declares=true").await;
    assert_eq!(to, format!("{root}/done"), "{page}");
    let (_, _, page) = test.page(&groom, &to).await;
    holds(&page, &["等对方确认", "已为您二位保留"]);
    let (_, _, page) = test.page(&bride, "/my").await;
    holds(&page, &["请确认：结婚登记预约", "段** 邀请您"]);
    let invitation = page
        .split("href=\"/my/invitations/")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    let at = format!("/my/invitations/{invitation}");
    let (_, _, page) = test.page(&bride, &at).await;
    holds(&page, &["男女双方完全自愿", "只记录“是”或“否”", "确认预约"]);
    let (status, _, _) = test.submit_form(&bride, &format!("{at}/confirm"), "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _, page) = test.submit_form(&bride, &format!("{at}/confirm"), "agrees=true").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (_, _, page) = test.page(&bride, &at).await;
    holds(&page, &["预约成功"]);
    let (_, _, page) = test.page(&groom, &format!("{root}/done")).await;
    holds(&page, &["已约好", "请双方带居民身份证"]);
    let (_, _, page) = test.page(&groom, "/my").await;
    holds(&page, &["已约好"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_day_offers_near_times_and_a_place_in_the_queue() {
    let test = app(On::Sqlite).await;
    let groom = test.person("段誉和", ADULT, false).await;
    let (root, _) = begun(&test, &groom, "marriage-registration-appointment").await;
    let tx = test.app.store.begin().await.unwrap();
    // Everything of the first day is taken.
    let spec = test.app.pack.item("marriage-registration-appointment").unwrap().appointment.clone().unwrap();
    let slots = services::actions::appointments::slots(&test.app, &spec).await.unwrap();
    let day = slots.first().unwrap().plan.start.china_date();
    for slot in slots.iter().filter(|slot| slot.plan.start.china_date() == day) {
        tx.execute(
            "INSERT INTO services_slot (resource, starts_at, ends_at, capacity, taken) VALUES ($1, $2, $3, 2, 2)",
            store::params![&spec.resource, slot.plan.start, slot.plan.end],
        )
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let first = slots.first().unwrap().plan.start.micros();
    let (status, _, page) = test.submit_form(&groom, &format!("{root}/slot"), &format!("slot={first}")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&page, &["这个时间刚被别人约走了", "相近的时间", "已约满", "有空位时告诉我"]);
    let (status, to, _) = test.submit_form(&groom, &format!("{root}/wait"), &format!("day={day}")).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/my"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_one_person_are_closed_to_others_and_to_nobody() {
    let test = app(On::Sqlite).await;
    let owner = test.person("段誉和", ADULT, false).await;
    let other = test.person("木婉清", BRIDE, false).await;
    let (root, first) = begun(&test, &owner, "individual-business-registration").await;
    for path in
        [root.clone(), first, format!("{root}/review"), format!("{root}/materials"), format!("{root}/done")]
    {
        assert_eq!(test.page(&other, &path).await.0, StatusCode::NOT_FOUND, "{path}");
        let (status, _) = test.get(&path).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
    }
    for path in [
        "/apply/drafts/nonsense",
        "/apply/nothing",
        "/my/bookings/x",
        "/my/invitations/x",
        "/my/cases/x/receipt",
    ] {
        assert_eq!(test.page(&owner, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
