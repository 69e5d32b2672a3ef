"""What the person at the app can choose."""

from pydantic import BaseModel, Field

from flash_cards.tables import study


@study.preferences
class StudyPreferences(BaseModel):
    cards_a_day: int = Field(default=20, ge=1, le=500, description="Number of cards that are asked at most.")
