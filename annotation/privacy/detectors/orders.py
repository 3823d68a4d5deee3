"""Numbers of parcels, orders, bookings and the like, by their prefix or by the word that names them."""

from __future__ import annotations

import re

from mldr.annotation.privacy.detectors.rules import LINK, Rule, pattern, said

_CARRIERS = "SF|YT|JDV[A-Z]|JDX|JDK|JD|ZTO|STO|YD|YZ|JT|DPK|DBL|EMS|TT|UC|HTKY|LP|KY|ANE|FEDEX|UPS|DHL"
_NAMED = """
快递 运单 订单 物流单 物流号 包裹号 包裹单 流水 交易号 交易单 退货单 退货号 发票号 受理号 工单 保单 合同号
会员号 票号 病历号 就诊号 学号 工号 准考证 报名号 单号 编号 案件号 房产证 社保 公积金 tracking order invoice
reference ref booking confirmation ticket case pnr reservation shipment parcel package receipt policy member
membership account acct student_id employee_id
"""


def _named(match: re.Match[str]) -> float:
    digits = sum(c.isdigit() for c in match["x"])
    return 0.85 if digits >= 6 else 0.72 if digits >= 4 else 0.0


ORDERS = (
    Rule(
        "carrier",
        "order_number",
        pattern(
            rf"(?:(?<![A-Z0-9])|(?-i:(?<=[a-z])(?=[A-Z])))(?:{_CARRIERS})"
            r"[ \-]?\d(?:[ \-]?\d){7,21}(?:-\d{1,3}){0,3}-?(?!\d)"
        ),
        0.93,
    ),
    Rule(
        "postal",
        "order_number",
        pattern(r"(?<![A-Z0-9])[A-Z]{2} ?\d{9} ?[A-Z]{2}(?![A-Z0-9])|(?<![A-Z0-9])1Z[A-Z0-9]{16}(?![A-Z0-9])"),
        0.92,
    ),
    Rule("lettered", "order_number", re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,5}-?\d{8,24}(?![A-Za-z0-9])"), 0.72),
    Rule(
        "named-order",
        "order_number",
        pattern(
            rf"{said(_NAMED)}(?:{LINK}|号|后续|查){{0,8}}(?=[A-Z\-_]{{0,28}}\d)(?P<x>[A-Z0-9](?:[\-_]?[A-Z0-9]){{4,29}})(?![A-Z0-9])"
        ),
        _named,
        _NAMED,
    ),
)
