//! What the gallery shows: trial texts about invented people.

use serde_json::{Value, json};
use web::i18n::Lang;

/// The object `page` as the request's context fills it.
pub(crate) fn page(lang: Lang) -> Value {
    let zh = lang == Lang::ZH;
    let label = |chinese: &str, english: &str| if zh { chinese.to_owned() } else { english.to_owned() };
    json!({
        "title": label("样张", "Gallery"), "node": { "name": { "zh": "大理白族自治州", "en": "Dali Prefecture" } },
        "path": "/gallery", "other_lang_url": "/gallery?lang=en", "elder": false, "elder_url": "/gallery?elder=1",
        "nonce": "n0nce-of-this-request", "csrf": "token-1", "demo": true,
        "actor": { "name": "段小满", "kind": "citizen" },
        "nav": [
            { "href": "/items", "label": label("办事服务", "Services"), "current": true },
            { "href": "/my/cases", "label": label("我的办件", "My cases") },
            { "href": "/my/licences", "label": label("我的证照", "My licences") },
            { "href": "/my/footprint", "label": label("数据足迹", "My data") },
        ],
    })
}

/// The whole context of `web/gallery.html` and `web/gallery_staff.html`.
pub(crate) fn context(lang: Lang) -> Value {
    json!({
        "page": page(lang),
        "values": { "phone": "13800001234", "kind": "b", "born-year": "1990", "state": ["review"] },
        "errors": {
            "list": [
                { "field": "name", "text": "请填写名称", "href": "#name" },
                { "field": "born", "text": "出生日期要写全年、月、日", "href": "#born" },
            ],
            "by_field": { "name": { "text": "请填写名称" }, "born": { "text": "出生日期要写全年、月、日" } },
        },
        "sample": {
            "title": { "zh": "个体工商户设立登记", "en": "Registering a sole trader" },
            "lead": { "zh": "想自己开店、摆摊、做手艺，先在这里登记，拿到营业执照就可以开张。全程网上办，不收费。", "en": "Open a shop or a stall of your own. Everything is done online and nothing is charged." },
            "crumbs": [{ "zh": "首页", "en": "Home" }, { "zh": "市场准入", "en": "Starting a business" }],
            "hero": {
                "title": { "zh": "今天想办什么事？", "en": "What would you like to do?" },
                "lead": { "zh": "说一句大白话就行。已经有的材料不用再交，办到哪一步、几天办完，都写得清清楚楚。", "en": "Say it in your own words. What the government already holds you need not bring." },
                "label": { "zh": "搜索事项", "en": "Search services" },
                "placeholder": { "zh": "例如：开个小店", "en": "For example: open a small shop" },
                "often": { "zh": "常办：", "en": "Often needed:" },
                "words": [{ "zh": "开个小店", "en": "Open a shop" }, { "zh": "结婚登记", "en": "Get married" }, { "zh": "高龄津贴", "en": "Old-age allowance" }],
            },
            "facts": [
                { "label": "承诺时限", "value": "1 个工作日", "hint": "法定 15 个工作日" },
                { "label": "费用", "value": "不收费" },
                { "label": "跑动次数", "value": "0 次", "hint": "全程网办" },
                { "label": "办理机关", "value": "大理市市场监督管理局" },
            ],
            "notice": {
                "title": "请注意", "text": "洱海海西一级保护区内暂停受理新开餐饮、住宿，已受理的办件继续办理。",
                "good": "草稿已保存，换一台设备登录也能接着填。", "warn": "还有 2 个工作日就到补正期限，请尽快补齐。",
                "bad": "上传的文件内容与后缀名不符，请换一个文件。",
            },
            "start": "开始办理", "later": "打印办事指南", "pill": "等待补正",
            "headings": {
                "lights": "时限状态", "materials": "需要的材料", "next": "接下来会怎样", "due": "什么时候办完", "summary": "请核对",
                "history": "办理经过", "list": "待办办件", "cards": "常办事项", "form": "填写名称",
            },
            "materials": [
                { "name": "经营者身份证明", "need": "held", "why": "已从公安部门的人口库取得，不需要您再交（国务院令第 716 号第七条）。" },
                { "name": "经营场所使用证明", "need": "bring", "why": "租来的房子交租赁合同，自己的房子交产权证的照片。", "hint": "PDF、JPG 或 PNG，不超过 20 MB" },
                { "name": "从业人员名单", "need": "optional", "why": "雇了人再填，以后补也可以。" },
            ],
            "steps": [
                { "title": "提交申请", "state": "done", "when": "11月24日 08:30", "text": "回执已经发给您。" },
                { "title": "市场监管局审查", "state": "current", "when": "最晚 11月25日", "text": "材料缺什么只会一次性告诉您。" },
                { "title": "领取电子营业执照", "text": "办好后在“我的证照”里查看、下载和出示。" },
            ],
            "due": {
                "label": "法定办结日期", "promised": "承诺办结日期", "date": "2026-12-15", "remaining": "还剩 2 个工作日",
                "steps": [
                    { "date": "2026-11-24", "text": "收到申请，次日起算", "article": "《行政许可法》第八十二条" },
                    { "date": "2026-11-26", "text": "发出补正通知，时限暂停 3 个工作日" },
                    { "date": "2026-12-15", "text": "加上 15 个工作日，跳过周末和节假日", "article": "《个体工商户登记管理办法》第十三条" },
                    { "text": "日历依据：国办发明电〔2025〕7 号" },
                ],
            },
            "rows": [
                { "key": "经营者", "value": "段小满", "source": { "name": "公安人口库", "at": "2026-11-20" } },
                { "key": "名称", "value": "大理市小满扎染铺（个体工商户）", "action": { "href": "/change/name" } },
                { "key": "经营场所", "value": "大理市喜洲镇四方街 12 号", "hint": "与不动产登记一致", "action": { "href": "/change/place" } },
                { "key": "经营范围", "values": ["工艺美术品零售", "民族服饰定制"], "action": { "href": "/change/scope" } },
                { "key": "状态", "light": "yellow" },
                { "key": "证照", "value": "营业执照", "href": "/my/licences/1" },
            ],
            "history": [
                { "title": "补正材料已收到", "by": "段小满", "at": "2026-11-24T02:10:00Z", "text": "补交了租赁合同第二页。" },
                { "title": "发出一次性补正通知", "by": "综合窗口 杨××", "at": "2026-11-24T01:00:00Z", "text": "租赁合同缺少签字页。", "tone": "warn" },
                { "title": "收到申请", "by": "网上提交", "at": "2026-11-24T00:30:00Z", "text": "材料齐全，共 2 份。", "href": "/receipt" },
            ],
            "place": { "title": "也可以当面办", "text": "大理市政务服务中心二楼 B12 窗口，周一至周五 9:00–12:00，13:30–17:00。" },
            "selected": [{ "label": "大理市", "href": "/cases?state=review" }, { "label": "审查中", "href": "/cases?place=532901" }],
            "table": {
                "caption": "共 3 件，按时限排列",
                "columns": [
                    { "label": "办件编号", "sort": "none" }, { "label": "事项", "sort": "none" },
                    { "label": "剩余时限", "kind": "number", "sort": "ascending" }, { "label": "状态" },
                ],
                "rows": [
                    { "cells": [{ "text": "532901-20261124-7QK3M9X-C", "href": "/cases/1" }, { "text": "个体工商户设立登记", "hint": "段××（喜洲镇）" }, { "text": "-1 天", "sort": -1 }, { "light": "red" }] },
                    { "cells": [{ "text": "532901-20261123-2WD8R4P-5", "href": "/cases/2" }, { "text": "高龄津贴申领", "hint": "杨××（下关街道）" }, { "text": "2 天", "sort": 2 }, { "light": "yellow" }] },
                    { "cells": [{ "text": "532901-20261120-9ZC1H6T-0", "href": "/cases/3" }, { "text": "结婚登记预约", "hint": "赵××、李××" }, { "text": "9 天", "sort": 9 }, { "pill": { "text": "等待补正", "tone": "warn" } }] },
                ],
            },
            "empty": { "title": "没有符合条件的办件", "text": "换一个条件试试，或者清除全部筛选。" },
            "cards": [
                { "href": "/items/1", "title": "个体工商户设立登记", "text": "开店、摆摊、做手艺，先登记再开张。", "meta": ["1 个工作日", "全程网办"] },
                { "href": "/items/2", "title": "结婚登记预约", "text": "两个人都确认后，选一个日子到场登记。", "meta": ["当场办结", "免费"] },
                { "href": "/items/3", "title": "高龄津贴申领", "text": "满 80 周岁就可以领，数据够的当场决定。", "meta": ["即时办结", "家人可代办"] },
            ],
            "licence": { "name": "营业执照", "holder": "大理市小满扎染铺（个体工商户）", "number": "92532901MA6K4E8D7X", "issuer": "大理市市场监督管理局", "issued": "2026-11-25", "state": "valid", "href": "/my/licences/1" },
            "qr": { "text": "YW1:营业执照:92532901MA6K4E8D7X", "label": "出示给对方扫一扫", "hint": "每次出示只能用一次" },
            "fields": {
                "search": "办件编号或申请人", "state": "办理状态", "states": [{ "value": "wait", "text": "待受理" }, { "value": "review", "text": "审查中" }],
                "name": "店铺叫什么名字？", "name_hint": "例如“大理市小满扎染铺”。", "from": "名称库", "phone": "联系电话",
                "born": "出生日期", "born_hint": "例如 1990 年 3 月 27 日", "kind": "在哪里经营？",
                "kinds": [{ "value": "a", "text": "有固定的店面", "hint": "租的、自己的都算" }, { "value": "b", "text": "只在网上经营" }, { "value": "c", "text": "流动摊点" }],
                "region": "所在乡镇", "regions": [{ "value": "1", "text": "喜洲镇" }, { "value": "2", "text": "下关街道" }],
                "reason": "补充说明", "proof": "经营场所使用证明", "proof_hint": "PDF、JPG 或 PNG，不超过 20 MB", "password": "密码",
            },
            "fen": 1250, "id": "532901199003071234", "at": "2026-11-24T00:30:00Z",
        },
    })
}
