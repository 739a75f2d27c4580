//! The register and the commands about it.

use realdid_authority::population::is_valid;
use realdid_authority::{RunError, generate, random_person};

use crate::support::{SEED, on_each, somebody};

#[tokio::test]
async fn the_register_grows_and_repeats_nobody() {
    on_each(async |world| {
        let mut told = Vec::new();
        let total = generate(&world.settings, 1201, SEED, |done| told.push(done))
            .await
            .unwrap();
        assert_eq!((total, told), (1201, vec![500, 1000, 1201]));
        assert_eq!(generate(&world.settings, 700, SEED, |_| ()).await.unwrap(), 1201);
        let person = somebody(3);
        let pool = world.pool().await;
        let found = sqlx::query("SELECT name, birth_date, email FROM persons WHERE number = $1")
            .bind(&person.number)
            .fetch_one(&pool)
            .await
            .unwrap();
        let column = |index| sqlx::Row::get::<String, usize>(&found, index);
        assert_eq!(
            [column(0), column(1), column(2)],
            [person.name, person.birth_date, person.contact.email]
        );
        pool.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_random_person_can_be_tried_out() {
    on_each(async |world| {
        let mut numbers = std::collections::HashSet::new();
        for _ in 0..40 {
            let person = random_person(&world.settings).await.unwrap();
            assert!(is_valid(&person.number) && !person.name.is_empty());
            assert_eq!(person.outbox, "http://127.0.0.1:7310/sandbox/outbox");
            numbers.insert(person.number);
        }
        assert!(numbers.len() > 2);
        let pool = world.pool().await;
        sqlx::query("DELETE FROM persons").execute(&pool).await.unwrap();
        pool.close().await;
        assert!(matches!(
            random_person(&world.settings).await,
            Err(RunError::NoPeople)
        ));
    })
    .await;
}
