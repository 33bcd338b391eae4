//! Pages before one signs in say what the walk demands, in both languages.

use http::StatusCode;
use store::test::On;

#[track_caller]
fn holds(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "`{text}` is missing in:\n{page}");
    }
}

#[tokio::test]
async fn the_home_page_asks_one_question_and_offers_ways_in() {
    let test = crate::common::app(On::Sqlite).await;
    let (status, page) = test.get("/").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    holds(
        &page,
        &[
            "您想办什么事？",
            "我要开店",
            "我要结婚",
            "我要养老",
            "不动产权证书",
            "/search?who=business",
            "12345",
        ],
    );
    let (_, english) = test.get("/?lang=en").await;
    holds(&english, &["What would you like to do?", "Opening a shop", "Getting married"]);
}

#[tokio::test]
async fn the_search_page_lists_what_fits_and_helps_where_nothing_does() {
    let test = crate::common::app(On::Sqlite).await;
    let (status, page) = test.get("/search?q=%E5%BC%80%E4%B8%AA%E5%B0%8F%E5%BA%97").await;
    assert_eq!(status, StatusCode::OK);
    holds(
        &page,
        &[
            "找到 1 个事项",
            "个体工商户设立登记",
            "/items/individual-business-registration",
            "大理市市场监督管理局",
        ],
    );
    let (_, none) = test.get("/search?q=xyzzy").await;
    holds(&none, &["没有找到合适的事项", "可以这样试试", "12345", "结婚登记预约"]);
    let (_, themed) = test.get("/search?theme=get-married").await;
    holds(&themed, &["我要结婚", "结婚登记预约"]);
    assert!(!themed.contains("/items/elderly-allowance"));
    let (status, _) = test.get("/search?theme=%00&who=x&q=%3Cscript%3E").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn the_guide_says_why_each_material_need_not_be_brought() {
    let test = crate::common::app(On::Sqlite).await;
    let (status, page) = test.get("/items/individual-business-registration").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    holds(
        &page,
        &[
            "个体工商户设立登记",
            "谁可以办",
            "个人",
            "办理条件",
            "有经营能力的公民",
            "需要什么材料",
            "无需携带",
            "实名登录后，由人口基础库核验",
            "不动产权证书",
            "法定时限",
            "3 个工作日",
            "承诺时限",
            "当场",
            "怎么办",
            "不收费",
            "法律依据",
            "市场主体登记管理条例",
            "第十九条",
            "在哪里办",
            "大理市政务服务中心",
            "常见问题",
            "要不要到现场",
            "营业执照",
            "/items/individual-business-registration/check",
            "/apply/individual-business-registration",
            "tel:12345",
        ],
    );
    let (_, english) = test.get("/items/individual-business-registration?lang=en").await;
    holds(&english, &["Registering an individual business", "No need to bring"]);
    holds(&english, &["3 working days", "on the spot", "Legal basis", "Free of charge"]);
    let (status, _) = test.get("/items/nothing").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_guide_is_the_same_page_the_second_time_but_for_its_nonce() {
    let test = crate::common::app(On::Sqlite).await;
    let (_, first) = test.get("/items/elderly-allowance").await;
    let (_, second) = test.get("/items/elderly-allowance").await;
    let nonce =
        |page: &str| page.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    let (a, b) = (nonce(&first).expect("a nonce"), nonce(&second).expect("a nonce"));
    assert_ne!(a, b);
    assert_eq!(first.replace(&a, ""), second.replace(&b, ""));
}

#[tokio::test]
async fn the_questions_before_applying_are_answered_with_reasons_and_articles() {
    let test = crate::common::app(On::Sqlite).await;
    let path = "/items/individual-business-registration/check";
    let (status, page) = test.get(path).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    holds(&page, &["您的出生日期是", "applicant.birth_date-year", "applicant.needs_company"]);

    let (status, page) = test
        .post(path, "applicant.birth_date-year=1990&applicant.birth_date-month=13&applicant.birth_date-day=1")
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(&page, &["没有这一天", "请选择您是否要与他人合伙", "value=\"1990\""]);

    let answers = "applicant.birth_date-year=1990&applicant.birth_date-month=5&applicant.birth_date-day=1&applicant.own_income=true&applicant.needs_company=";
    let (status, page) = test.post(path, &format!("{answers}false")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    holds(&page, &["您可以办", "您可以申请登记为个体工商户", "促进个体工商户发展条例", "开始办理"]);

    let (_, page) = test.post(path, &format!("{answers}true")).await;
    holds(&page, &["暂时不能办", "合伙企业、公司请办理企业设立登记", "您仍有权提出申请"]);
}

#[tokio::test]
async fn an_item_without_a_limit_of_its_own_shows_the_one_that_its_cases_count() {
    let test = crate::common::app(On::Sqlite).await;
    let pack = crate::common::pack();
    let item = pack.item("marriage-registration-appointment").expect("it ships");
    let procedure = pack.procedure(&item.procedure).expect("it ships");
    let today = test.app.now().china_date();
    let rules = cases::model::Terms::clock_rules(item, procedure, pack.rules(), today).expect("they resolve");
    let limit = rules.0.expect("the procedure has a limit").limit;
    let (status, page) = test.get("/items/marriage-registration-appointment").await;
    assert_eq!(status, StatusCode::OK);
    holds(&page, &["法定时限", &format!("{} 个工作日", limit.days)]);
}
