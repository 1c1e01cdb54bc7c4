"""The States and Union territories of India, by the two letters that the portal sends."""

from __future__ import annotations

from django.db import models

PIN_CODE = r"^[1-9][0-9]{5}$"


class State(models.TextChoices):
    """28 States and 8 Union territories."""

    AN = "AN", "Andaman and Nicobar Islands"
    AP = "AP", "Andhra Pradesh"
    AR = "AR", "Arunachal Pradesh"
    AS = "AS", "Assam"
    BR = "BR", "Bihar"
    CH = "CH", "Chandigarh"
    CG = "CG", "Chhattisgarh"
    DH = "DH", "Dadra and Nagar Haveli and Daman and Diu"
    DL = "DL", "Delhi"
    GA = "GA", "Goa"
    GJ = "GJ", "Gujarat"
    HR = "HR", "Haryana"
    HP = "HP", "Himachal Pradesh"
    JK = "JK", "Jammu and Kashmir"
    JH = "JH", "Jharkhand"
    KA = "KA", "Karnataka"
    KL = "KL", "Kerala"
    LA = "LA", "Ladakh"
    LD = "LD", "Lakshadweep"
    MP = "MP", "Madhya Pradesh"
    MH = "MH", "Maharashtra"
    MN = "MN", "Manipur"
    ML = "ML", "Meghalaya"
    MZ = "MZ", "Mizoram"
    NL = "NL", "Nagaland"
    OR = "OR", "Odisha"
    PY = "PY", "Puducherry"
    PB = "PB", "Punjab"
    RJ = "RJ", "Rajasthan"
    SK = "SK", "Sikkim"
    TN = "TN", "Tamil Nadu"
    TG = "TG", "Telangana"
    TR = "TR", "Tripura"
    UP = "UP", "Uttar Pradesh"
    UK = "UK", "Uttarakhand"
    WB = "WB", "West Bengal"
