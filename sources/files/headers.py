"""The names that people and programs give to the columns of tables of feedback, in several languages."""

# Letters and digits only, lower case, best known first.
HEADER_NAMES = {
    "feedback": """
        feedback feedbacktext comment comments review reviewtext reviewbody body message text content
        description verbatim response answer opinion suggestion note notes whatcouldwedobetter openfeedback
        remarks kommentar kommentare rückmeldung bewertungstext nachricht beschreibung inhalt anmerkung
        bemerkung antwort commentaire commentaires avis retour texte contenu réponse remarque comentario
        comentarios reseña opinión mensaje texto contenido respuesta sugerencia comentário comentários
        avaliação mensagem opinião conteúdo resposta sugestão commento commenti recensione messaggio testo
        contenuto risposta opinione opmerking opmerkingen beoordeling bericht reactie tekst komentarz opinia
        wiadomość treść uwagi отзыв комментарий сообщение текст コメント フィードバック レビュー 本文 内容
        感想 意見 ご意見 评论 反馈 留言 意见 評論 回饋 의견 리뷰 댓글 내용 피드백 yorum geribildirim mesaj
        metin
    """,
    "unique_id": """
        uniqueid id feedbackid reviewid ticketid ticketnumber ticket caseid casenumber responseid commentid
        messageid key issuekey reference nummer vorgangsnummer kennung numéro numero número номер 番号 编号
        번호
    """,
    "author": """
        author name customer customername username user reviewer reviewername respondent submittedby speaker
        requester requestername fullname displayname contact contactname sender from autor verfasser kunde
        kundenname sprecher auteur nom client cliente nombre nome autore naam klant klient imię автор имя клиент 氏名
        名前 お名前 投稿者 作者 姓名 客户 用户 이름 작성자 고객 yazar isim müşteri
    """,
    "email": """
        email emailaddress mail useremail customeremail requesteremail contactemail respondentemail
        emailadresse mailadresse adresseemail courriel correo correoelectrónico correoelectronico eposta
        почта эпочта メール メールアドレス 邮箱 电子邮件 電子郵件 이메일
    """,
    "user_id": """
        userid customerid externalid externaluserid accountuserid memberid uid contactid benutzerid
        kundennummer kundenid idclient idutilisateur idcliente idusuario ユーザーid 会員番号 用户id 사용자id
    """,
    "account": """
        account accountname company companyname organization organisation organisationname organizationname
        customeraccount workspace firma unternehmen société entreprise empresa compañía azienda società
        bedrijf компания 会社 会社名 企業 公司 회사 şirket
    """,
    "created_at": """
        createdat created createdon createddate creationdate date datetime timestamp time submittedat
        submitted submissiondate submissiontime reviewdate reviewdateandtime receivedat postedat publishedat
        datum erstelltam erstellt zeitstempel zeitpunkt datecreation créé horodatage fecha fechadecreación
        data dataehora datacriação datacreazione ora aangemaakt utworzono дата время создано 日付 日時
        作成日 作成日時 投稿日 日期 时间 時間 날짜 작성일 tarih
    """,
    "rating": """
        rating score stars starrating nps npsscore csat csatscore grade satisfaction bewertung sterne note
        étoiles calificación puntuación estrellas avaliação nota estrelas valutazione stelle voto
        beoordeling ocena оценка 評価 星 评分 評分 평점 별점 puan
    """,
    "url": """
        url link permalink reviewlink ticketurl reviewurl sourceurl lien enlace ссылка リンク 链接 連結 링크
    """,
    "language": """
        language lang locale reviewerlanguage sprache langue idioma lingua taal język язык 言語 语言 語言
        언어 dil
    """,
}
