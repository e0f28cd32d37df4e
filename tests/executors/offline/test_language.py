"""Whether a task is in English: certainly, or not at all."""

import pytest

from thrifty.executors.offline.language import is_english


@pytest.mark.parametrize(
    "task",
    [
        "Draft a 1-page project proposal for a logistics dashboard + fleet optimization pilot, "
        "including scope, timeline, and risks.",
        "Plan a tea party for 20 people",
        "Write a poem about tea",
        "Fix the login bug",
        "Hire two engineers",
        "Plan a trip to São Paulo",
        "Write an essay on naïve Bayes for Zoë's café",
        "Migrate our billing service to Postgres in 6 weeks",
        "Compare Kafka and RabbitMQ for our event bus",
        "Renovate the kitchen for under $12,000",
        "How do I learn Rust?",
        "PLEASE WRITE A LETTER TO MY LANDLORD",
        "Translate 東京 into English please",
    ],
)
def test_english_is_recognised(task):
    assert is_english(task)


@pytest.mark.parametrize(
    "task",
    [
        "Schreibe einen Projektplan für die Einführung eines ERP-Systems in 3 Monaten",
        "Schreibe ein Gedicht",
        "Projektplan Website Relaunch",
        "Dashboard für den Vertrieb",
        "Team Event in Berlin planen",
        "Redacta una propuesta de proyecto de 1 página para un panel de logística",
        "Plan de marketing digital",
        "Plan a largo plazo",
        "Viaje a Madrid",
        "Rédige une proposition de projet pour un tableau de bord",
        "Organizza una festa",
        "Escreva uma proposta de projeto para um painel",
        "Schrijf een projectvoorstel voor een dashboard",
        "Skriv en plan for et pilotprojekt",
        "Plan for markedsføring",
        "Skriv ett förslag",
        "Napisz propozycję projektu",
        "物流ダッシュボードの提案書を書いてください",
        "为物流仪表板写一份项目提案",
        "물류 대시보드 제안서를 작성해 주세요",
        "Напиши план проекта",
        "اكتب اقتراح مشروع",
        "Viết một đề xuất dự án",
        "Bir proje önerisi yaz",
        "Buat proposal proyek untuk dashboard",
        "Kirjoita projektisuunnitelma",
        "Tea",
        "42",
        "",
    ],
)
def test_other_languages_and_doubtful_tasks_are_not(task):
    assert not is_english(task)


def test_a_long_text_in_another_language_tells_more_than_its_english_beginning():
    assert not is_english("Translate this: " + "der Wagen und das Haus " * 50)
