//! Names of made-up people: surnames of the area by ethnic group with how frequent they are, and common given names.

use kernel::citizen_id::Sex;

use super::draw::Draw;

const BAI: &[(&str, u32)] = &[
    ("杨", 190),
    ("李", 150),
    ("张", 105),
    ("段", 95),
    ("赵", 85),
    ("董", 55),
    ("王", 50),
    ("尹", 40),
    ("何", 35),
    ("高", 32),
    ("杜", 30),
    ("苏", 28),
    ("施", 25),
    ("寸", 18),
    ("马", 15),
    ("罗", 14),
    ("洪", 12),
    ("奚", 9),
    ("颜", 6),
    ("字", 6),
];
const HAN: &[(&str, u32)] = &[
    ("李", 145),
    ("杨", 120),
    ("张", 110),
    ("王", 95),
    ("陈", 50),
    ("罗", 42),
    ("刘", 40),
    ("周", 40),
    ("赵", 40),
    ("徐", 28),
    ("朱", 26),
    ("吴", 24),
    ("黄", 24),
    ("马", 22),
    ("郭", 20),
    ("谢", 18),
    ("钱", 14),
    ("孙", 14),
    ("彭", 13),
    ("胡", 13),
    ("何", 12),
    ("范", 10),
    ("沈", 9),
    ("欧阳", 2),
];
const YI: &[(&str, u32)] = &[
    ("李", 170),
    ("罗", 110),
    ("字", 95),
    ("茶", 80),
    ("杨", 75),
    ("左", 60),
    ("鲁", 55),
    ("阿", 45),
    ("毕", 45),
    ("杞", 40),
    ("普", 40),
    ("自", 35),
    ("常", 30),
    ("饶", 20),
    ("蒙", 18),
    ("周", 17),
    ("熊", 15),
];
const HUI: &[(&str, u32)] = &[
    ("马", 420),
    ("忽", 85),
    ("沙", 75),
    ("丁", 65),
    ("闪", 55),
    ("米", 50),
    ("苏", 45),
    ("杨", 40),
    ("锁", 30),
    ("朱", 30),
];
const OTHERS: &[(&str, u32)] = &[
    ("余", 150),
    ("和", 140),
    ("李", 120),
    ("熊", 100),
    ("杨", 90),
    ("王", 80),
    ("曹", 60),
    ("陶", 50),
    ("刀", 40),
    ("木", 40),
];

const WOMEN: [&str; 24] = [
    "丽", "芳", "燕", "梅", "秀", "英", "花", "兰", "凤", "玉", "珍", "琼", "春", "雪", "慧", "婷", "洁",
    "月", "娟", "琳", "珠", "香", "萍", "翠",
];
const MEN: [&str; 24] = [
    "文", "强", "军", "伟", "建", "华", "云", "志", "明", "国", "平", "林", "杰", "勇", "斌", "涛", "松",
    "海", "山", "学", "福", "润", "泽", "荣",
];
const FIRST: [&str; 18] = [
    "金", "玉", "德", "春", "学", "永", "家", "继", "红", "丽", "育", "光", "正", "天", "汝", "银", "少",
    "应",
];
const YOUNG: [&str; 20] = [
    "子", "涵", "梓", "轩", "雨", "欣", "俊", "熙", "浩", "宇", "思", "语", "佳", "怡", "诗", "晨", "睿",
    "若", "可", "彤",
];

/// A surname of somebody of this ethnic group.
pub(super) fn surname(draw: &mut Draw, group: &str) -> &'static str {
    draw.weighted(match group {
        "白族" => BAI,
        "汉族" => HAN,
        "彝族" => YI,
        "回族" => HUI,
        _ => OTHERS,
    })
}

/// A given name of somebody of this sex who was born in this year.
pub(super) fn given(draw: &mut Draw, sex: Sex, year: i16) -> String {
    let own = match sex {
        Sex::Male => &MEN,
        Sex::Female => &WOMEN,
    };
    if year >= 2008 {
        return format!("{}{}", draw.pick(&YOUNG), draw.pick(&YOUNG));
    }
    match draw.below(10) {
        0 | 1 => draw.pick(own).to_owned(),
        2 | 3 => format!("{}{}", draw.pick(own), draw.pick(own)),
        _ => format!("{}{}", draw.pick(&FIRST), draw.pick(own)),
    }
}
